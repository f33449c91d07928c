"""Cells and connections from the HDF5 files of a system (NeuroH5), with h5py.

A population is named by the enum value in its row of H5Types/Populations. Indexes are relative to
the start of their population.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from livnd import extras
from livnd.errors import BadFileError, bad_file

_MAX_CELLS = 10_000_000
_MAX_ELEMENTS = 2**28  # of one data set

# What h5py raises for what it cannot read.
_UNREADABLE = (OSError, RuntimeError, ValueError, TypeError)


@dataclass(frozen=True, eq=False)
class Edges:
    """Connections from one population to another, as the file orders them."""

    source_gids: np.ndarray  # int64 [edges]
    target_gids: np.ndarray  # int64 [edges]
    distance_um: np.ndarray  # float32 [edges], along the connection


class NeuroH5File:
    """An open file; use open_file().

    Every value that it gives is checked: pointers rise and stay within their array, indexes within
    their population, and numbers are finite. Otherwise it raises a BadFileError.
    """

    def __init__(self, path: Path, file: Any) -> None:
        self._path = path
        self._file = file

    def population_ranges(self) -> dict[str, tuple[int, int]]:
        """First gid and number of cells of each population, in the order of gids."""
        field = "H5Types/Populations"
        rows = self._array(field)
        names = self._labels(rows, field)
        if not rows.dtype.names or not {"Start", "Count", "Population"} <= set(rows.dtype.names):
            raise self._bad(field, rows.dtype, "rows of Start, Count, Population")
        found = {}
        for row in sorted(rows, key=lambda row: int(row["Start"])):
            label, start, count = (int(row[name]) for name in ("Population", "Start", "Count"))
            if label not in names:
                raise self._bad(field, f"population {label}", f"one of {sorted(names)}")
            found[names[label]] = (start, count)
        end = 0
        for name, (start, count) in found.items():
            if start != end or start + count > _MAX_CELLS:
                accepted = f"a start of {end}, and {_MAX_CELLS} cells at most"
                raise self._bad(field, f"{name} from {start}, {count} cells", accepted)
            end += count
        if len(found) != len(rows) or not end:
            raise self._bad(
                field, f"{len(rows)} rows, {end} cells", "a row a population, and cells"
            )
        return found

    def coordinates(
        self, population: str, first_gid: int, num_cells: int, namespace: str
    ) -> np.ndarray:
        """Gid, x, y and z of each cell, um, float64 [cells, 4]."""
        rows = np.empty((num_cells, 4))
        rows[:, 0] = np.arange(first_gid, first_gid + num_cells)
        for column, axis in enumerate("XYZ", 1):
            if num_cells:
                field = f"Populations/{population}/{namespace}/{axis} Coordinate"
                rows[:, column] = self._one_a_cell(field, num_cells)
        return rows

    def projections(self) -> list[tuple[str, str]]:
        """(pre, post) of each projection that is stored."""
        try:
            groups = self._file.get("Projections", {})
            return sorted((pre, post) for post in groups for pre in groups[post])
        except (KeyError, *_UNREADABLE) as error:
            raise self._bad("Projections", f"unreadable ({error})", "groups POST/PRE") from None

    def edges(self, pre: str, post: str, ranges: dict[str, tuple[int, int]]) -> Edges:
        """The connections of a projection."""
        at = f"Projections/{post}/{pre}"
        for name in (pre, post):
            if name not in ranges:
                raise self._bad(at, name, f"populations of cells.h5: {', '.join(ranges)}")
        (pre_start, num_pre), (post_start, num_post) = ranges[pre], ranges[post]
        sources = self._whole(f"{at}/Edges/Source Index", num_pre)
        index = self._whole(f"{at}/Edges/Destination Block Index", max(num_post, 1))
        blocks = self._pointer(f"{at}/Edges/Destination Block Pointer", len(index) + 1)
        pointer_field = f"{at}/Edges/Destination Pointer"
        pointer = self._pointer(pointer_field, None)
        # A block owns the entries from its pointer to the next one's; the last block's last entry
        # only closes the array.
        if len(index) and (blocks[0] != 0 or blocks[-1] != len(pointer)):
            raise self._bad(
                f"{at}/Edges/Destination Block Pointer",
                f"{blocks[0]} .. {blocks[-1]}",
                f"0 .. {len(pointer)}",
            )
        ends = pointer[-1] if len(pointer) else 0
        if ends != len(sources) or (len(pointer) and pointer[0] != 0):
            raise self._bad(pointer_field, f"up to {ends}", f"0 .. {len(sources)}")
        first = np.repeat(index, np.diff(blocks)) if len(index) else index
        entry = np.arange(len(pointer)) - np.repeat(blocks[:-1], np.diff(blocks))
        targets = (first + entry)[:-1]
        if (
            len(targets)
            and targets.max() >= num_post
            and np.diff(pointer)[targets >= num_post].any()
        ):
            raise self._bad(pointer_field, f"cell {targets.max()}", f"0 .. {num_post - 1}")
        field = f"{at}/Connections/distance"
        distance_um = self._numbers(field)
        if len(distance_um) != len(sources):
            raise self._bad(field, f"{len(distance_um)} values", f"{len(sources)}, one an edge")
        return Edges(
            sources + pre_start, np.repeat(targets, np.diff(pointer)) + post_start, distance_um
        )

    # --- values --------------------------------------------------------------------------------

    def _labels(self, rows: np.ndarray, field: str) -> dict[int, str]:
        # The labels are committed beside the rows; some files have them in the rows' type alone.
        h5py = extras.load("h5py", "data", "reading a system")
        enums = [rows.dtype.fields["Population"][0]] if rows.dtype.fields else []
        committed = self._file.get("H5Types/Population labels")
        if committed is not None:
            enums.append(committed.dtype)
        for enum in enums:
            values = h5py.check_enum_dtype(enum)
            if values:
                return {int(value): name for name, value in values.items()}
        raise self._bad(field, "without labels", "an enum of the populations' names")

    def _one_a_cell(self, field: str, num_cells: int) -> np.ndarray:
        cells = self._whole(f"{field}/Cell Index", num_cells)
        pointer = self._pointer(f"{field}/Attribute Pointer", len(cells) + 1)
        values = self._numbers(f"{field}/Attribute Value")
        if (np.diff(pointer) != 1).any() or pointer[-1] > len(values):
            raise self._bad(f"{field}/Attribute Pointer", "others", "one value a cell")
        if not np.array_equal(np.sort(cells), np.arange(num_cells)):
            raise self._bad(
                f"{field}/Cell Index", f"{len(cells)} cells", f"each of {num_cells} once"
            )
        found = np.empty(num_cells)
        found[cells] = values[pointer[:-1]]
        return found

    def _array(self, field: str) -> np.ndarray:
        try:
            found = self._file[field]
            if not hasattr(found, "shape") or len(found.shape) != 1:
                raise self._bad(field, "no list", "a data set with one axis")
            if found.size > _MAX_ELEMENTS:
                raise self._bad(field, f"{found.size} values", f"{_MAX_ELEMENTS} at most")
            return found[:]
        except BadFileError:
            raise
        except KeyError:
            raise self._bad(field, "missing", "a data set with one axis") from None
        except _UNREADABLE as error:
            raise self._bad(field, f"unreadable ({error})", "whole chunks") from None

    def _whole(self, field: str, end: int) -> np.ndarray:
        values = self._array(field)
        if values.dtype.kind not in "iu":
            raise self._bad(field, values.dtype, "whole numbers")
        if len(values) and not 0 <= int(values.min()) <= int(values.max()) < end:
            raise self._bad(field, f"{values.min()} .. {values.max()}", f"0 .. {end - 1}")
        return values.astype(np.int64)

    def _pointer(self, field: str, length: int | None) -> np.ndarray:
        values = self._whole(field, 2**62)
        if length is not None and len(values) != length:
            raise self._bad(field, f"{len(values)} values", f"{length}")
        if (np.diff(values) < 0).any():
            raise self._bad(field, "falling", "rising values")
        return values

    def _numbers(self, field: str) -> np.ndarray:
        values = self._array(field)
        if values.dtype.kind not in "iuf":
            raise self._bad(field, values.dtype, "numbers")
        if not np.isfinite(values).all():
            where = int(np.argmin(np.isfinite(values)))
            raise self._bad(f"{field}[{where}]", values[where], "a finite number")
        return values

    def _bad(self, field: str, value: object, accepted: str) -> BadFileError:
        return bad_file(self._path, field, value, accepted)


@contextmanager
def open_file(path: Path) -> Iterator[NeuroH5File]:
    """Opens a file for reading.

    Raises:
        MissingExtraError: without h5py.
        FileNotFoundError: there is no such file.
        BadFileError: it is no HDF5 file.
    """
    h5py = extras.load("h5py", "data", "reading a system")
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise bad_file(path, "", f"no readable HDF5 file ({error})", "a NeuroH5 file") from None
    with file:
        yield NeuroH5File(path, file)
