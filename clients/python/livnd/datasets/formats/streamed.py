"""Data that goes into an HDF5 file part by part: hdmf's interface for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from livnd import extras

_CHUNK_BYTES = 1 << 19


def streamed(
    parts: Callable[[], Iterator[np.ndarray]], num_rows: int, row: tuple[int, ...], dtype: Any
) -> Any:
    """What PyNWB takes as data: written part after part, in compressed chunks.

    Args:
        parts: gives arrays [rows, ...] that are num_rows long in all.
        num_rows: of all.
        row: shape of one.
        dtype: of the values.
    """
    hdmf = extras.load("hdmf.data_utils", "nwb", "writing NWB")
    hdf5 = extras.load("hdmf.backends.hdf5", "nwb", "writing NWB")
    dtype = np.dtype(dtype)
    row_bytes = max(1, int(np.prod(row, dtype=int)) * dtype.itemsize)
    chunk = (int(np.clip(_CHUNK_BYTES // row_bytes, 1, max(num_rows, 1))), *row)

    class Parts(hdmf.AbstractDataChunkIterator):
        """The parts, each with its place."""

        def __init__(self) -> None:
            self._parts, self._begin = parts(), 0

        def __iter__(self) -> Any:
            return self

        def __next__(self) -> Any:
            values = next(self._parts)
            while not len(values):
                values = next(self._parts)
            place = slice(self._begin, self._begin + len(values))
            self._begin = place.stop
            selection = (place, *(slice(0, length) for length in row))
            return hdmf.DataChunk(data=np.ascontiguousarray(values, dtype), selection=selection)

        def recommended_chunk_shape(self) -> tuple[int, ...]:
            return chunk

        def recommended_data_shape(self) -> tuple[int, ...]:
            return (num_rows, *row)

        @property
        def dtype(self) -> np.dtype:
            return dtype

        @property
        def maxshape(self) -> tuple[int, ...]:
            return (num_rows, *row)

    return hdf5.H5DataIO(
        data=Parts(), chunks=chunk, compression="gzip", compression_opts=4, shuffle=True
    )
