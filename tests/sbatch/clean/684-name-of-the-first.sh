#!/usr/bin/env bash
#SBATCH --nodes=2
MASTER_ADDR=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n1)
export MASTER_ADDR
srun python train.py
