#!/usr/bin/env bash
#SBATCH --nodes=2
#SBATCH --ntask-per-node=1
srun python train.py
