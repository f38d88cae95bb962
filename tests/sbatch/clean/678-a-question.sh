#!/usr/bin/env bash
#SBATCH --nodes=1
set -euo pipefail
gpus=$(srun nvidia-smi -L | wc -l)
echo "$gpus"
srun python train.py 2>&1 | tee train.log
