#!/usr/bin/env bash
#SBATCH --nodes=1
#SBATCH --distribution=foo
srun python train.py
