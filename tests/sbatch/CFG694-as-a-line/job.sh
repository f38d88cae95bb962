#!/usr/bin/env bash
#SBATCH --nodes=1
#SBATCH --dependency=afterok:12345
srun python evaluate.py
