#!/usr/bin/env bash
#SBATCH --nodes=1
export LR=0.1
srun --export=ALL,SIZES=1,2,4 python train.py
