#!/usr/bin/env bash
#SBATCH --nodes=2
#SBATCH --kill-on-bad-exit=1
srun python train.py
