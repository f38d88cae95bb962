#!/usr/bin/env bash
#SBATCH --nodes=1
#SBATCH --output=logs/%j.out
cd /scratch/run || exit 1
mkdir -p logs checkpoints
srun python train.py
