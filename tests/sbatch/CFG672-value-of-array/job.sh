#!/usr/bin/env bash
#SBATCH --nodes=1
#SBATCH --array=a-b
srun python train.py
