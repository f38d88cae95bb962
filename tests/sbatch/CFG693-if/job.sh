#!/usr/bin/env bash
#SBATCH --nodes=1
set -e
srun python train.py
if [ $? -ne 0 ]; then
  cp crash.log /scratch
fi
