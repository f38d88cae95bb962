#!/usr/bin/env bash
#SBATCH --nodes=1
set -x
export HF_TOKEN=$(cat "$HOME/.token")
srun python train.py
