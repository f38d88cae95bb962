#!/usr/bin/env bash
#SBATCH --nodes=1
[[ $# -eq 1 ]] || { echo "usage: sbatch $0 CONFIG" >&2; exit 64; }
srun python train.py "$1"
