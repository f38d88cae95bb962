"""What the emitted files use of torch and Slurm, and since which release there is such a thing."""
