#!/usr/bin/env bash
#SBATCH --nodes=1
set -euo pipefail
code=0
srun python train.py || code=$?
echo "ended with $code"
