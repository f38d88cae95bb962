#!/usr/bin/env bash
#SBATCH --nodes=1
scontrol requeue 4711
srun python train.py
