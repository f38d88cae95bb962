#!/usr/bin/env bash
#SBATCH --nodes=2
#SBATCH --gpu=8
srun python train.py
