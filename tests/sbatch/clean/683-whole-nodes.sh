#!/usr/bin/env bash
#SBATCH --nodes=2
#SBATCH --exclusive
export MASTER_PORT=29500
srun python train.py
