#!/usr/bin/env bash
#SBATCH --nodes=1
#SBATCH --open-mode=append
if ! srun python train.py; then
  scontrol requeue "$SLURM_JOB_ID"
fi
