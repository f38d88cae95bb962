#!/usr/bin/env bash
#SBATCH --nodes=1
set -e
srun python train.py 2>&1 | tee train.log
