"""``cfgc lint-sbatch``: what is known of job scripts, applied to those that people have already."""
