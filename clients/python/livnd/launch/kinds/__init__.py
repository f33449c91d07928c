"""Where servers are started: on this machine, by MPI, by SLURM, by Ray."""
