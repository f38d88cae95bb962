#!/usr/bin/env bash
#SBATCH --nodes=1
#SBATCH --signal=B:TERM@120
trap 'rsync -a "$TMPDIR/" results/; exit 143' TERM
srun python train.py &
wait $!
