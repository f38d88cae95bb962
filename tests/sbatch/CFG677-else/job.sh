#!/usr/bin/env bash
#SBATCH --nodes=1
set -e
if srun python train.py; then
  echo good
else
  echo bad
  exit $?
fi
