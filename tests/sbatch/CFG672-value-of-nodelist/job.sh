#!/usr/bin/env bash
#SBATCH --nodes=1
#SBATCH --nodelist=n[1-2
srun python train.py
