#!/usr/bin/env bash
#SBATCH --nodes=1
#SBATCH --requeue
#SBATCH --open-mode=append
srun python train.py
