#!/usr/bin/env bash
#SBATCH --nodes=1
set -e
srun python train.py
echo done
