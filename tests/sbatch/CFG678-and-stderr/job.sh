#!/usr/bin/env bash
#SBATCH --nodes=1
launcher="torchrun --standalone --nproc-per-node=8"
$launcher train.py |& tee -a train.log
