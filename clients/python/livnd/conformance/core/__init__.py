"""Cases of the core level: environments with a task, one session a caller."""
