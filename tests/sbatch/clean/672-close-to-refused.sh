#!/usr/bin/env bash
#SBATCH -c 1 --ntasks=+010 --mem=0
#SBATCH --requeue --open-mode=append
#SBATCH --signal=SIGUSR1@65535
#SBATCH --nodelist=n[1-2,4],m7
#SBATCH --exclude=./names[1
#SBATCH --constraint=[rack1|rack2]&a100
#SBATCH -Hs
srun python train.py
