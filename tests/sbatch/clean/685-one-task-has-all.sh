#!/usr/bin/env bash
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --gpus-per-task=8
srun torchrun --nnodes=2 --nproc-per-node=8 train.py
