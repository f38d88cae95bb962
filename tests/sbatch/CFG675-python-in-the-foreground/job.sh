#!/usr/bin/env bash
#SBATCH --nodes=1
#SBATCH --requeue
#SBATCH --open-mode=append
save() {
  touch save
}
trap save SIGUSR1
python train.py
