#!/usr/bin/env bash
#SBATCH --nodes=1
code=0
srun python train.py || code=$?
if ((code == 75 && ${SLURM_RESTART_COUNT:-0} < 3)); then
  scontrol requeue "$SLURM_JOB_ID"
fi
exit "$code"
