#!/usr/bin/env bash
#SBATCH --nodes=1
set -e
module load cuda
set +e
srun python train.py
echo done
