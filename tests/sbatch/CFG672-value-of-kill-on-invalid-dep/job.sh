#!/usr/bin/env bash
#SBATCH --nodes=1
#SBATCH --kill-on-invalid-dep=true
srun python train.py
