#!/usr/bin/env bash
#SBATCH --nodes=1
#SBATCH --signal=USR1@120
srun python train.py
