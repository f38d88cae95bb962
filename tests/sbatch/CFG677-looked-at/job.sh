#!/usr/bin/env bash
#SBATCH --nodes=1
srun python train.py
if [ $? -ne 0 ]; then
  echo failed
fi
echo done
