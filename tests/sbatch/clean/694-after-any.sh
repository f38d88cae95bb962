#!/usr/bin/env bash
sbatch --dependency=afterany:1 cleanup.sh
sbatch --dependency=afterok:1 --kill-on-invalid-dep=yes next.sh
