#!/usr/bin/env bash
first=$(sbatch --parsable train.sh)
sbatch --dependency="afterok:$first" evaluate.sh
