#!/usr/bin/env bash
#SBATCH --nodes=1
#SBATCH --hint=nomultithread
#SBATCH -c 8
export SRUN_CPUS_PER_TASK=$SLURM_CPUS_PER_TASK
srun python train.py
