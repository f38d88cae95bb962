#!/usr/bin/env bash
#SBATCH --nodes=1
#SBATCH -c 0
srun python train.py
