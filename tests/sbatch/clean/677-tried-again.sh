#!/usr/bin/env bash
#SBATCH --nodes=1
for attempt in 1 2 3; do
  echo "attempt $attempt"
  srun python train.py && break
done
echo done
