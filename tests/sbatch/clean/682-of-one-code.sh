#!/usr/bin/env bash
#SBATCH --nodes=1
#SBATCH --open-mode=append
code=0
srun python train.py || code=$?
if [[ $code -eq 75 ]]; then
  scontrol requeue "$SLURM_JOB_ID"
fi
exit "$code"
