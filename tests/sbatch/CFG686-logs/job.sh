#!/usr/bin/env bash
#SBATCH --nodes=1
#SBATCH --output=logs/%j.out
mkdir -p logs
srun python train.py
