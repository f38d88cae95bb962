#!/usr/bin/env bash
#SBATCH --nodes=2
srun --ntasks-per-node=1 torchrun --nnodes=2 --nproc-per-node=8 train.py
