#!/usr/bin/env bash
#SBATCH --nodes=1
python make_inputs.py
./simulate inputs/*.txt
