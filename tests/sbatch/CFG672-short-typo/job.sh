#!/usr/bin/env bash
#SBATCH --nodes=1
#SBATCH --men=3G
srun python train.py
