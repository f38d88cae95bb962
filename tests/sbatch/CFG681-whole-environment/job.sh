#!/usr/bin/env bash
#SBATCH --nodes=1
printenv
srun python train.py
