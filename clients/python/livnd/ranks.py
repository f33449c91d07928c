"""Which of many processes this one is, as MPICH, Open MPI, PMIx or SLURM says."""

from __future__ import annotations

import os

_NUMBERS = ("PMI_RANK", "OMPI_COMM_WORLD_RANK", "PMIX_RANK", "SLURM_ARRAY_TASK_ID", "SLURM_PROCID")
_NUMBERS_HERE = ("MPI_LOCALNRANKS", "OMPI_COMM_WORLD_LOCAL_SIZE")


def rank() -> int | None:
    """0, 1, ...; None for a process that stands alone."""
    return _number(_NUMBERS)


def num_here() -> int | None:
    """How many of them are on this machine, where MPI says so."""
    return _number(_NUMBERS_HERE)


def _number(variables: tuple[str, ...]) -> int | None:
    texts = [os.environ.get(name, "") for name in variables]
    return next((int(text) for text in texts if text.isdecimal()), None)
