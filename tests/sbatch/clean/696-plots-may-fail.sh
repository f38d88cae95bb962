#!/usr/bin/env bash
#SBATCH --nodes=1
python train.py || exit
python plot.py || true
