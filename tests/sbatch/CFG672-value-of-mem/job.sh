#!/usr/bin/env bash
#SBATCH --nodes=1
#SBATCH --mem=10Q
srun python train.py
