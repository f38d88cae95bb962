#!/usr/bin/env bash
#SBATCH --nodes=1
##SBATCH --time=1:00:00
# SBATCH lines above are read; this is prose about SBATCH
srun python train.py
