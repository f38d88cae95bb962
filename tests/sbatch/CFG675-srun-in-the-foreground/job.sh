#!/usr/bin/env bash
#SBATCH --nodes=1
#SBATCH --signal=B:USR1@120
trap 'touch save' USR1
srun python train.py
