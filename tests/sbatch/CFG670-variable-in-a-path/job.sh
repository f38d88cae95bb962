#!/usr/bin/env bash
#SBATCH --nodes=1
#SBATCH --output=$HOME/logs/%j.out
srun python train.py
