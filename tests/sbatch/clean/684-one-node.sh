#!/usr/bin/env bash
#SBATCH --nodes=1
export MASTER_ADDR=localhost
export MASTER_PORT=$((10000 + SLURM_JOB_ID % 20000))
srun python train.py
