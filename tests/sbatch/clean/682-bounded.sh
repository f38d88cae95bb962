#!/usr/bin/env bash
#SBATCH --nodes=1
#SBATCH --open-mode=append
srun python train.py || if ((${SLURM_RESTART_COUNT:-0} < 3)); then scontrol requeue "$SLURM_JOB_ID"; fi
