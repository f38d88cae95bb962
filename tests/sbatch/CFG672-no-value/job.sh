#!/usr/bin/env bash
#SBATCH --nodes=1
#SBATCH --qos
srun python train.py
