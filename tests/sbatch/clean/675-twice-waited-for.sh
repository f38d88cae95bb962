#!/usr/bin/env bash
#SBATCH --nodes=1
#SBATCH --signal=B:USR1@120
trap 'kill -USR1 "$pid"' USR1
srun python train.py &
pid=$!
code=0
wait "$pid" || code=$?
while kill -0 "$pid" 2>/dev/null; do
  wait "$pid" && code=0 || code=$?
done
exit "$code"
