#!/usr/bin/env bash
#SBATCH --nodes=1
#SBATCH --signal=USR2@70000
srun python train.py
