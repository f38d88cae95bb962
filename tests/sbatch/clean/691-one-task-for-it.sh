#!/usr/bin/env bash
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=8
srun --ntasks-per-node=1 torchrun --nproc-per-node=8 train.py
