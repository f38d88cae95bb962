#!/usr/bin/env bash
#SBATCH --nodes=1
#SBATCH --mail-type=ENDD
srun python train.py
