#!/usr/bin/env bash
#SBATCH --nodes=1
srun python train.py | tee train.log
if [ "${PIPESTATUS[0]}" -ne 0 ]; then
  echo failed
fi
