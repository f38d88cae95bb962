#!/usr/bin/env bash
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=four
srun python train.py
