#!/usr/bin/env bash
#SBATCH --nodes=1
if ! srun python train.py; then
  echo bad
fi
