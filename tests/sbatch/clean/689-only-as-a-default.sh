#!/usr/bin/env bash
#SBATCH --nodes=1
here=${SLURM_SUBMIT_DIR:-$(dirname "$0")}
srun python "$here/train.py"
