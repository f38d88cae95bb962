#!/usr/bin/env bash
#SBATCH --nodes=1
srun python train.py
[ $? -eq 0 ] && echo good
