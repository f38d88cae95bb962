#!/usr/bin/env bash
#SBATCH --nodes=1
apptainer exec --nv train.sif python train.py
rm -rf tmp
