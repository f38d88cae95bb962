#!/usr/bin/env bash
#SBATCH --nodes=1
srun --export=ALL,LR=0.1,SEED="$SEED" python train.py
