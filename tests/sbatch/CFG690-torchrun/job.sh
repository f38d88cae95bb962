#!/usr/bin/env bash
#SBATCH --nodes=4
#SBATCH --gpus-per-node=8
torchrun --nnodes=4 --nproc-per-node=8 --rdzv-backend=c10d train.py
