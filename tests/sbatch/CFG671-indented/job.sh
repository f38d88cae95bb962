#!/usr/bin/env bash
#SBATCH --nodes=1
  #SBATCH --time=1:00:00
srun python train.py
