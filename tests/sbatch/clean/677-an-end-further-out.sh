#!/usr/bin/env bash
#SBATCH --nodes=1
if [ -n "$SLURM_JOB_ID" ]; then
  if [ -z "$DRY_RUN" ]; then
    srun python train.py
  fi
  exit $?
fi
echo "no job"
