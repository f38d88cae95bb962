#!/usr/bin/env bash
#SBATCH --nodes=1
#SBATCH --container-image=image.sqsh
#SBATCH --ntasks-per-n=1
#SBATCH --bbq=yes
#SBATCH -J name -t 1:00:00
srun python train.py
