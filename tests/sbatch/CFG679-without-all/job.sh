#!/usr/bin/env bash
#SBATCH --nodes=1
srun --export=LR=0.1 python train.py
