#!/usr/bin/env bash
#SBATCH --nodes=1
cd "$(dirname "$0")" || exit 1
srun python train.py
