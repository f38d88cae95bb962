#!/usr/bin/env bash
#SBATCH --nodes=1
#SBATCH --signal=B:USR1@120
save() {
  echo "saving"
  kill -USR1 "$pid"
  exit 0
}
trap save USR1
srun python train.py &
pid=$!
wait "$pid"
