#!/usr/bin/env bash
set -e
module load cuda
#SBATCH --nodes=2
#SBATCH --time=1:00:00
srun python train.py
