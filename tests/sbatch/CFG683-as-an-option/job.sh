#!/usr/bin/env bash
#SBATCH --nodes=1
#SBATCH --gres=gpu:2
torchrun --nproc-per-node=2 --master-port=29500 train.py
