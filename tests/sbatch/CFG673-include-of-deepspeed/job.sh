#!/usr/bin/env bash
#SBATCH --nodes=2
srun --include=n1,n2 python train.py
