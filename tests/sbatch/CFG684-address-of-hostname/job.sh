#!/usr/bin/env bash
#SBATCH --nodes=4
MASTER_ADDR=$(hostname --ip-address)
export MASTER_ADDR
srun python train.py
