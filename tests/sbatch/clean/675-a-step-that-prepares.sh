#!/usr/bin/env bash
#SBATCH --nodes=1
#SBATCH --signal=B:USR1@120
asked=
pid=
trap 'asked=1; [[ -z $pid ]] || kill -USR1 "$pid"' USR1
srun python prepare.py
[[ -z $asked ]] || exit 75
srun python train.py &
pid=$!
while kill -0 "$pid" 2>/dev/null; do wait "$pid" || :; done
wait "$pid"
