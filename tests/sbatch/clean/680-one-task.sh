#!/usr/bin/env bash
#SBATCH --nodes=1
#SBATCH --ntasks=1
export RANK=$SLURM_PROCID
srun python train.py --rank "$SLURM_PROCID"
