#!/usr/bin/env bash
#SBATCH --nodes=1
set -euo pipefail
srun python train.py || true
cp results.json /scratch/results
