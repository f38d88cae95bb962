#!/usr/bin/env bash
#SBATCH --nodes=1
#SBATCH --hint=bla
srun python train.py
