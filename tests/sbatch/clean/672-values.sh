#!/usr/bin/env bash
#SBATCH --nodes=1k  # as many as that
#SBATCH -N 1-4 --mem 10gb --hold
#SBATCH --time=1-12 --time-min=UNLIMITED
#SBATCH -J "a b c" # quoted
#SBATCH--ntasks=4
#SBATCH --export=ALL,A=1 -c 8 --qos=
#SBATCH --site-option of-a-plugin
#SBATCH --tasks-per-node={{ tasks }} --mem-per-c=4096
srun --ntasks=4 --cpus-per-task=8 python train.py
