#!/usr/bin/env bash
#SBATCH --nodes=1
set -euo pipefail
srun python train.py
code=$?
echo "ended with $code"
exit "$code"
