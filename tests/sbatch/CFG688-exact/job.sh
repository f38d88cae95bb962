#!/usr/bin/env bash
#SBATCH --nodes=1
#SBATCH -c 8
srun --exact python train.py
