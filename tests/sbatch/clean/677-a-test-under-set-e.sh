#!/usr/bin/env bash
#SBATCH --nodes=1
set -e
code=0
srun python train.py || code=$?
[ "$code" -eq 0 ]
echo good
