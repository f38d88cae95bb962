#!/usr/bin/env bash
#SBATCH --nodes=1
#SBATCH --mincpus=x
srun python train.py
