#!/usr/bin/env bash
#SBATCH --nodes two
srun python train.py
