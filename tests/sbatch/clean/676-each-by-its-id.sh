#!/usr/bin/env bash
#SBATCH --nodes=1
pids=()
for part in 0 1; do
  srun --ntasks=1 python train.py "$part" &
  pids+=("$!")
done
code=0
for pid in "${pids[@]}"; do wait "$pid" || code=$?; done
exit "$code"
