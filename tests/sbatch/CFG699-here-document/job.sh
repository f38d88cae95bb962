#!/usr/bin/env bash
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
cat > config.json <<EOF
{"steps": 100}
  EOF
srun python train.py --config config.json
