#!/usr/bin/env bash
#SBATCH --nodes=1
set -e
srun python train.py
if ! srun python plot.py; then
  echo "no plots"
fi
