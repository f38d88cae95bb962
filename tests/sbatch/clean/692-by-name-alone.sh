#!/usr/bin/env bash
#SBATCH --nodes=1
: "${HF_TOKEN:?set it before sbatch}"
export WANDB_API_KEY="<your-key>"
export MAX_TOKEN=4096
srun python train.py
