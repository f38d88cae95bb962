#!/usr/bin/env bash
#SBATCH --nodes=1
finish() {
  echo "ended with $1"
  exit "$1"
}
srun python train.py
finish $?
