#!/usr/bin/env bash
#SBATCH --nodes=1
srun python train.py | tee train.log
exit "${PIPESTATUS[0]}"
