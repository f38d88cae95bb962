#!/usr/bin/env bash
#SBATCH --nodes=1
trap 'rm -rf "/tmp/$SLURM_JOB_ID"' EXIT TERM
srun python train.py
