#!/usr/bin/env bash
#SBATCH --nodes=1
#SBATCH --bind=x
#SBATCH --energy=low
srun --bind=y python train.py
