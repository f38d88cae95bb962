#!/usr/bin/env bash
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=8
export RANK=$SLURM_PROCID
srun python train.py
