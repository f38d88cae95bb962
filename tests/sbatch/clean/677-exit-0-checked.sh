#!/usr/bin/env bash
#SBATCH --nodes=1
if ! srun python train.py; then
  echo failed >&2
  exit 1
fi
exit 0
