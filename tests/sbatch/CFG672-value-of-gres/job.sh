#!/usr/bin/env bash
#SBATCH --nodes=1
#SBATCH --gres=gpu=2
srun python train.py
