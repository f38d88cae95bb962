#!/usr/bin/env bash
#SBATCH --nodes=1
#SBATCH --gpus-per-node=1
#SBATCH --array=0-9
export MASTER_PORT=29500
srun python train.py
