#!/usr/bin/env bash
#SBATCH -N2
#SBATCH --gpus-per-node=8
python -m torch.distributed.run --nnodes 2 --nproc_per_node 8 train.py
