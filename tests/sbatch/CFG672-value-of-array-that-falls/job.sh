#!/usr/bin/env bash
#SBATCH --nodes=1
#SBATCH --array=9-0
srun python train.py
