#!/usr/bin/env bash
#SBATCH --nodes=1
#SBATCH --signal=USR1@120
trap 'kill -USR1 "$pid"' USR1
srun python train.py &
pid=$!
while kill -0 "$pid" 2>/dev/null; do wait "$pid"; done
wait "$pid"
