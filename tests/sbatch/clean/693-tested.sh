#!/usr/bin/env bash
#SBATCH --nodes=1
set -e
code=0
srun python train.py || code=$?
set +e
srun python evaluate.py
score=$?
exit $((code + score))
