#!/usr/bin/env bash
#SBATCH --nodes={{ nodes }} --nodelist=[[nodes]]
#SBATCH --requeue=expedite
#SBATCH --open-mode=append
#SBATCH --hold={{ hold }}
srun python train.py
