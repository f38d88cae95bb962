#!/usr/bin/env bash
#SBATCH --nodes=1
#SBATCH --hint=nomultithread
#SBATCH --cpus-per-task=8
srun -c 8 python train.py
