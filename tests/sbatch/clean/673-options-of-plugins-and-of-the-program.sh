#!/usr/bin/env bash
#SBATCH --nodes=1
srun --auto-resume=1 --container-mounts=/a:/a --container-image image.sqsh python train.py --include x --requeue
