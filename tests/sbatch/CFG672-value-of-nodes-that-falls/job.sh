#!/usr/bin/env bash
#SBATCH --nodes=4-2
srun python train.py
