#!/usr/bin/env bash
#SBATCH --nodes=1
[[ -n ${SLURM_JOB_ID:-} ]] && here=$SLURM_SUBMIT_DIR || here=$(dirname "$0")
srun python "$here/train.py"
