#!/usr/bin/env bash
#SBATCH --nodes=1
python -m pip install --user -r requirements.txt
python -c 'import torch; print(torch.__version__)'
nvidia-smi
