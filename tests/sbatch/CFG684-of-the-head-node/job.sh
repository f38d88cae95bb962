#!/usr/bin/env bash
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=1
nodes=($(scontrol show hostnames "$SLURM_JOB_NODELIST"))
head_node=${nodes[0]}
head_node_ip=$(srun --nodes=1 --ntasks=1 -w "$head_node" hostname --ip-address)
srun torchrun --nnodes=4 --nproc_per_node=8 --rdzv_backend=c10d --rdzv_id="$SLURM_JOB_ID" \
  --rdzv_endpoint="$head_node_ip:$((10000 + SLURM_JOB_ID % 20000))" train.py
