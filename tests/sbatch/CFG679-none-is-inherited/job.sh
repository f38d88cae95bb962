#!/usr/bin/env bash
#SBATCH --nodes=1
#SBATCH --export=NONE
source env.sh
srun python train.py
