#!/usr/bin/env bash
#SBATCH --nodes=1
#SBATCH --signal=B:TERM@120
trap 'touch ckpt; wait "$pid"; exit $?' TERM
srun python train.py &
pid=$!
wait "$pid"
