#!/usr/bin/env bash
#SBATCH --nodes=2
options=(--label --kill-on-bad-exits=1)
srun "${options[@]}" python train.py
