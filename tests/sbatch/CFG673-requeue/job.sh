#!/usr/bin/env bash
#SBATCH --nodes=2
srun --requeue python train.py
