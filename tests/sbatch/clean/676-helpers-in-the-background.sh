#!/usr/bin/env bash
#SBATCH --nodes=1
set -e
nvidia-smi dmon >gpus.log &
srun python train.py
kill %1
wait
