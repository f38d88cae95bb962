#!/usr/bin/env bash
cat >job.sh <<'END'
#!/bin/bash
#SBATCH --nodes=2
srun python train.py
END
sbatch job.sh
