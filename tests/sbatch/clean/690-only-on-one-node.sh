#!/usr/bin/env bash
#SBATCH --nodes=2
#SBATCH --exclusive
if [[ $SLURM_NNODES -gt 1 ]]; then
  srun torchrun --nnodes=2 --nproc-per-node=8 train.py
else
  torchrun --nproc-per-node=8 train.py
fi
