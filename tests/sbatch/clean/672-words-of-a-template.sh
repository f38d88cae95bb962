#!/usr/bin/env bash
#SBATCH --nodes=1
#SBATCH --array=0-%COUNT%
#SBATCH --signal=@SIGNAL@
#SBATCH --dependency=afterany:{{ job }}
#SBATCH --begin=<time>
srun python train.py
