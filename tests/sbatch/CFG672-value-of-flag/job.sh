#!/usr/bin/env bash
#SBATCH --nodes=1
#SBATCH --requeue=1
#SBATCH --open-mode=append
srun python train.py
