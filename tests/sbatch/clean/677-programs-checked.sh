#!/usr/bin/env bash
#SBATCH --nodes=1
python prepare.py || exit 1
python train.py
code=$?
python plot.py
exit $code
