#!/bin/bash -ex
#SBATCH --nodes=1
srun python train.py --token "$HF_TOKEN"
