"""job.sbatch: each part of its template gets its values from the module of the same name."""
