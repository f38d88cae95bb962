#!/usr/bin/env bash
#SBATCH --nodes=1
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
srun python "$here/train.py"
