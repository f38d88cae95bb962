#!/usr/bin/env bash
#SBATCH --nodes=1
#SBATCH -J a b c
srun python train.py
