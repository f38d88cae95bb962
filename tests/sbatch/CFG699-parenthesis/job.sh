#!/usr/bin/env bash
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
first=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1
srun python train.py --address "$first"
