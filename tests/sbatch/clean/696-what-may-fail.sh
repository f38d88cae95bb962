#!/usr/bin/env bash
#SBATCH --nodes=1
set -e
srun rm -rf /tmp/cache || true
srun python train.py
