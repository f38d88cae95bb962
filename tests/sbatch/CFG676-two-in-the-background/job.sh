#!/usr/bin/env bash
#SBATCH --nodes=2
srun --nodes=1 python train.py --part 0 &
srun --nodes=1 python train.py --part 1 &
wait
