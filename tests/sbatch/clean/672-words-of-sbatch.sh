#!/usr/bin/env bash
#SBATCH --nodes=2-4 --exclusive=user
#SBATCH --mail-type=end,FAIL,TIME_LIMIT_90
#SBATCH --gres=gpu:a100:2,nvme:1
#SBATCH --signal=SIGUSR1@3
#SBATCH --hint=NOMULTITHREAD,compute_bound
#SBATCH --array=[1,3,5-7:2]%2
#SBATCH --begin=now+2days --open-mode=Append
#SBATCH --distribution=block:fcyclic,NoPack
#SBATCH --dependency=afterany:12:13_4?after:15+10
srun python train.py
