#!/usr/bin/env bash
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=4
srun bash -c 'RANK=$SLURM_PROCID python train.py'
srun bash -c "LOCAL_RANK=\$SLURM_LOCALID python train.py"
