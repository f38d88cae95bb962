#!/usr/bin/env bash
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
for seed in 1 2 3; do
  if [[ ! -e "seed-$seed" ]]; then
    srun python train.py --seed "$seed"
done
