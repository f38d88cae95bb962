#!/usr/bin/env bash
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
load() {
  module load cuda

load
srun python train.py
