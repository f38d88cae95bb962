#!/usr/bin/env bash
#SBATCH --nodes=1
#SBATCH --signal=USR1@120
trap 'rm -rf "$work"' EXIT
work=$(mktemp -d)
srun python train.py
