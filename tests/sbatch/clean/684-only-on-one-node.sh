#!/usr/bin/env bash
#SBATCH --nodes=2
if [[ $SLURM_NNODES -eq 1 ]]; then
  export MASTER_ADDR=localhost
else
  MASTER_ADDR=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n1)
  export MASTER_ADDR
fi
srun python train.py
