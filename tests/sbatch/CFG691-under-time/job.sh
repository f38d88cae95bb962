#!/usr/bin/env bash
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=4
time srun torchrun --nproc-per-node=gpu train.py
