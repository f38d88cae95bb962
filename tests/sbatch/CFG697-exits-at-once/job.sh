#!/usr/bin/env bash
#SBATCH --nodes=1
#SBATCH --signal=B:TERM@60
trap 'touch ckpt; exit 0' TERM
srun ./train &
wait $!
