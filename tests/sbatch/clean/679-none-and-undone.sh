#!/usr/bin/env bash
#SBATCH --nodes=1
#SBATCH --export=NONE
unset SLURM_EXPORT_ENV
srun python train.py
