#!/usr/bin/env bash
#SBATCH --nodes=2
#SBATCH --gpus-per-node=1
#SBATCH --array=0-9
head_node=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n1)
srun torchrun --nnodes=2 --rdzv_backend=c10d --rdzv_endpoint "$head_node":2950$((SLURM_JOB_ID % 10)) train.py
srun torchrun --nnodes=2 --rdzv_backend=c10d --rdzv_endpoint "$head_node:2950$SLURM_ARRAY_TASK_ID" train.py
srun torchrun --nnodes=2 --master_addr "$head_node" --master_port "2950"${SLURM_ARRAY_TASK_ID} train.py
srun bash -c "torchrun --nnodes=2 --master_addr $head_node --master_port 2950\$SLURM_LOCALID train.py"
