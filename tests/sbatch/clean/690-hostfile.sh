#!/usr/bin/env bash
#SBATCH --nodes=2
#SBATCH --exclusive
deepspeed --hostfile=hosts train.py
