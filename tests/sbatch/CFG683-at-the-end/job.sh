#!/usr/bin/env bash
#SBATCH --nodes=2
#SBATCH --gpus-per-node=1
head_node=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n1)
srun bash -c "torchrun --nnodes=2 --rdzv_backend=c10d --rdzv_endpoint=$head_node:29500"
