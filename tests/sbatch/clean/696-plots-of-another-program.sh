#!/usr/bin/env bash
#SBATCH --nodes=1
./simulate
python plot.py || true
