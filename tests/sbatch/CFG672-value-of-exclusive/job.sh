#!/usr/bin/env bash
#SBATCH --nodes=1
#SBATCH --exclusive=foo
srun python train.py
