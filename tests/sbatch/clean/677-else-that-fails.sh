#!/usr/bin/env bash
#SBATCH --nodes=1
if srun python train.py; then
  echo good
else
  echo bad
  false
fi
