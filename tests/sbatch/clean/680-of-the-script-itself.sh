#!/usr/bin/env bash
#SBATCH --nodes=2
echo "task $SLURM_PROCID on node $SLURM_NODEID"
srun python train.py
