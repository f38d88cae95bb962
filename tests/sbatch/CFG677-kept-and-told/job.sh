#!/usr/bin/env bash
#SBATCH --nodes=1
srun python train.py
rc=$?
if [ $rc -ne 0 ]; then
  echo failed
fi
