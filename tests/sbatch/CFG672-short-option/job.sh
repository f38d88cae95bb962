#!/usr/bin/env bash
#SBATCH -l walltime=1:00:00
srun python train.py
