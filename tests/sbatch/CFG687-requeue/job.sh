#!/usr/bin/env bash
#SBATCH --nodes=1
#SBATCH --requeue
srun python train.py
