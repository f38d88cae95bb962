#!/usr/bin/env bash
#SBATCH --nodes=1
srun python train.py
code=$?
echo "ended with $code"
[[ $code -eq 0 ]]
