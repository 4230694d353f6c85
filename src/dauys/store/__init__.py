"""Where it is kept: PostgreSQL, nothing else."""
