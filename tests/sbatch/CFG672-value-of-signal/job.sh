#!/usr/bin/env bash
#SBATCH --nodes=1
#SBATCH --signal=FOO@3
srun python train.py
