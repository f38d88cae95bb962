#!/usr/bin/env bash
#SBATCH --nodes=1
#SBATCH --open-mode=append
again() {
  scontrol requeue "$SLURM_JOB_ID"
}
trap again ERR
srun python train.py
