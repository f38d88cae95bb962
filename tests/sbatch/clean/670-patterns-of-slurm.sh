#!/usr/bin/env bash
#SBATCH --nodes=1
#SBATCH --output=/scratch/%u/%x-%A-%a.out
#SBATCH --comment=costs-5-dollars # $HOME is not used here
srun python train.py
