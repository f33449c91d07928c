"""Data sets by the names of Hugging Face's `datasets`, from folders of this machine."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from livnd.datasets.folders import find_splits, listed_files
from livnd.datasets.rows import Rows
from livnd.datasets.sources import DatasetSource, open_source
from livnd.errors import bad_file, invalid_field

_METADATA = "conversion_metadata.json"


class Splits(dict[str, Rows]):
    """The splits of a data set, {name: Rows}."""

    def __missing__(self, name: object) -> Rows:
        raise KeyError(f"no split {name!r}; there are: {', '.join(self)}")


def load_dataset(
    path: str | os.PathLike[str],
    name: str | None = None,
    split: str | None = None,
    *,
    keep_foreign: bool = False,
) -> Splits | Rows:
    """A data set of a folder, under the name that `datasets` has for it. Nothing is fetched.

    Args:
        path: a copy of a hub's repository, a folder of files, or a file.
        name: of a part of it: one of README.md's configurations, or a folder.
        split: None: all.
        keep_foreign: takes columns that are none of livn's, and gives them as Python values;
            otherwise they are refused.

    Returns:
        The splits by name, or the rows of the one that was asked for.

    Raises:
        FileNotFoundError: there is no such folder.
        BadFileError: what is in it is no data set.
        InvalidFieldError: it has no such name or split.
    """
    found = find_splits(Path(path), name)
    if split is not None:
        if split not in found:
            raise invalid_field("split", split, ", ".join(found))
        return open_files(found[split], keep_foreign=keep_foreign)
    return Splits(
        {one: open_files(files, keep_foreign=keep_foreign) for one, files in found.items()}
    )


def load_from_disk(path: str | os.PathLike[str], *, keep_foreign: bool = False) -> Splits | Rows:
    """What save_to_disk() of `datasets` left in a folder: of a DatasetDict its splits, or rows.

    Raises:
        FileNotFoundError, BadFileError, InvalidFieldError: as load_dataset().
    """
    folder = Path(path)
    if (folder / "state.json").is_file():
        return open_files(listed_files(folder), keep_foreign=keep_foreign)
    if not (folder / "dataset_dict.json").is_file():
        if not folder.is_dir():
            raise FileNotFoundError(f"{folder}: no such folder")
        names = "state.json or dataset_dict.json"
        raise bad_file(folder, "", f"a folder without {names}", "what save_to_disk() writes")
    return load_dataset(folder, keep_foreign=keep_foreign)


def open_files(
    files: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    *,
    keep_foreign: bool = False,
) -> Rows:
    """The rows of Parquet or Arrow files, one after the other."""
    if isinstance(files, (str, os.PathLike)):
        files = [files]
    paths = [Path(file) for file in files]
    if not paths:
        raise invalid_field("files", "none", "at least one file")
    sources = [open_source(path) for path in paths]
    return Rows(sources, keep_foreign=keep_foreign, metadata=_metadata_beside(paths[0]))


def from_datasets(dataset: Any, *, keep_foreign: bool = False) -> Splits | Rows:
    """The rows of a datasets.Dataset, or the splits of a DatasetDict."""
    if isinstance(dataset, Mapping):
        return Splits(
            {name: from_datasets(one, keep_foreign=keep_foreign) for name, one in dataset.items()}
        )
    return Rows([DatasetSource(dataset)], keep_foreign=keep_foreign)


def _metadata_beside(path: Path) -> dict[str, Any]:
    """What livn writes about all rows, beside the files or above the folder of the split."""
    for folder in (path.parent, path.parent.parent):
        file = folder / _METADATA
        if file.is_file():
            try:
                found = json.loads(file.read_bytes())
            except ValueError as error:
                raise bad_file(file, "", f"no JSON ({error})", "a JSON object") from None
            if not isinstance(found, dict):
                raise bad_file(file, "", f"a {type(found).__name__}", "a JSON object")
            return found
    return {}
