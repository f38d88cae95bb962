#!/usr/bin/env bash
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
cat > a.txt <<-EOF; cat > b.txt << 'THE END'
	if "
	EOF
  THE END
THE END
cat <<< "<<EOF"
echo $((1 << 3))
srun python train.py
