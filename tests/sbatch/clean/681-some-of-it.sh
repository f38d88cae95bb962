#!/usr/bin/env bash
#SBATCH --nodes=1
set -x
env | grep ^NCCL_
{ set +x; } 2>/dev/null
export HF_TOKEN=$(cat "$HOME/.token")
export PAD_TOKEN=0
srun python train.py
