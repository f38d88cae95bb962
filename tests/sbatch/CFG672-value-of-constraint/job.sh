#!/usr/bin/env bash
#SBATCH --nodes=1
#SBATCH --constraint=a100&&nvlink
srun python train.py
