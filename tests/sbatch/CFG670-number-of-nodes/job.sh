#!/usr/bin/env bash
#SBATCH -N $NODES
srun python train.py
