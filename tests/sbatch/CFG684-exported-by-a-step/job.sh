#!/usr/bin/env bash
#SBATCH --nodes=2
export MASTER_ADDR=$(srun -N1 -n1 -w "$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n1)" hostname -I)
srun python train.py
