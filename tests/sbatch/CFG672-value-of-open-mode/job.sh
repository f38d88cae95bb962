#!/usr/bin/env bash
#SBATCH --nodes=1
#SBATCH --open-mode=x
srun python train.py
