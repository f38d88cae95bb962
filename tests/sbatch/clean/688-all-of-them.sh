#!/usr/bin/env bash
#SBATCH --nodes=1
#SBATCH --cpus-per-task=8
srun python train.py
