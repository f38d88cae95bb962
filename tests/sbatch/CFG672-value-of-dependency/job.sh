#!/usr/bin/env bash
#SBATCH --nodes=1
#SBATCH --dependency=afterok
srun python train.py
