#!/usr/bin/env bash
#SBATCH --nodes=1
set -euo pipefail
#SBATCH --time=12:00:00
srun python train.py
