#!/usr/bin/env bash
#SBATCH --nodes=1
#SBATCH --signal=B:USR1@120
trap 'kill -USR1 "$pid"; wait "$pid"; exit 75' USR1
srun python train.py &
pid=$!
wait "$pid"
