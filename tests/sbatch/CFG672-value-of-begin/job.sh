#!/usr/bin/env bash
#SBATCH --nodes=1
#SBATCH --begin=foo
srun python train.py
