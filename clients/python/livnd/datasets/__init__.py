"""Data sets of recorded cultures, row by row, without a server.

    from livnd.datasets import load_dataset
    dataset = load_dataset("livn-org/livn", name="S1")
    row = dataset["train_with_noise"][0]
    it, t = row["trial_it"][0], row["trial_t"][0]

Rows come from Parquet and Arrow files of this machine, or from an object of Hugging Face's
`datasets`; columns.py lists what may be in them. A value is read when it is asked for, and checked:
what is wrong in a file is a livnd.errors.BadFileError that names file, column and row.

Reading needs pyarrow: pip install 'livnd[data]'.
"""

from livnd.datasets.loading import Splits, from_datasets, load_dataset, load_from_disk, open_files
from livnd.datasets.rows import Row, Rows

__all__ = [
    "Row",
    "Rows",
    "Splits",
    "from_datasets",
    "load_dataset",
    "load_from_disk",
    "open_files",
]
