#!/usr/bin/env bash
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
launcher="torchrun --nnodes=2 --nproc-per-node=8 --node-rank $SLURM_NODEID"
srun $launcher train.py
