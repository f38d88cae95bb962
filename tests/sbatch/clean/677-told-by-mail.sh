#!/usr/bin/env bash
#SBATCH --nodes=1
srun python train.py
if [ $? -ne 0 ]; then
  mail -s failed me@example.org </dev/null
fi
