#!/usr/bin/env bash
#SBATCH --nodes=1
set -e
srun --overlap bash watch.sh &
srun python train.py
wait
