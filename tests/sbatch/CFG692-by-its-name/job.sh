#!/usr/bin/env bash
#SBATCH --nodes=1
export WANDB_API_KEY=3f8a1c5e7b9d2046a8c0e1f3b5d7920146a8c0e1
srun python train.py
