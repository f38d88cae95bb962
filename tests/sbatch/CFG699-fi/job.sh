#!/usr/bin/env bash
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
if [[ -f checkpoint.pt ]]; then
  more=(--resume checkpoint.pt)
srun python train.py "${more[@]}"
