#!/usr/bin/env bash
#SBATCH --nodes=2
set -x
srun -l --mpi=pmix \
  bash train.sh
set +x
