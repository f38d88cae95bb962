#!/usr/bin/env bash
#SBATCH --nodes=1
srun python train.py &
pid=$!
while kill -0 "$pid" 2>/dev/null; do sleep 10; done
wait "$pid"
