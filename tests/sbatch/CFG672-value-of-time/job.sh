#!/usr/bin/env bash
#SBATCH --nodes=1
#SBATCH --time=24h
srun python train.py
