#!/usr/bin/env bash
#SBATCH --nodes=1
#SBATCH --error=~/logs/%j.err
srun python train.py
