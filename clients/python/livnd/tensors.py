"""NumPy arrays to and from the wire's dense tensors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from livnd._proto import pb
from livnd.errors import LivndError

# Wire dtypes are little-endian whatever the host is.
_DTYPES: dict[int, np.dtype] = {
    pb.DATA_TYPE_BOOL: np.dtype(np.bool_),
    pb.DATA_TYPE_INT64: np.dtype("<i8"),
    pb.DATA_TYPE_UINT64: np.dtype("<u8"),
    pb.DATA_TYPE_FLOAT32: np.dtype("<f4"),
    pb.DATA_TYPE_FLOAT64: np.dtype("<f8"),
}
# Of the host's dtypes, which are the same ones where it is little-endian.
_CODES: dict[np.dtype, int] = {dtype.newbyteorder("="): code for code, dtype in _DTYPES.items()}


def dtype_of(code: int) -> np.dtype:
    """NumPy's dtype for a wire dtype. LivndError where this client is too old to know it."""
    try:
        return _DTYPES[code]
    except KeyError:
        raise LivndError(f"tensor dtype {code} is unknown to this client") from None


def encode(array: Any, dtype: Any) -> Any:
    """A pb.Tensor with the array's shape and bytes, converted to `dtype`."""
    wire = np.dtype(dtype)
    code = _CODES[wire]
    data = np.asarray(array, dtype=_DTYPES[code])
    return pb.Tensor(dtype=code, shape=data.shape, data=data.tobytes())


def decode(tensor: Any) -> np.ndarray:
    """A new, writable array that owns its memory, in the host's byte order."""
    dtype = dtype_of(tensor.dtype)
    shape = tensor.shape[:]
    data = tensor.data
    if len(data) != math.prod(shape) * dtype.itemsize:
        raise LivndError(
            f"the server sent a tensor of {len(data)} bytes for shape {tuple(shape)} of {dtype}"
        )
    view = np.ndarray(shape, dtype, data)
    return view.copy() if dtype.isnative else view.astype(dtype.newbyteorder("="))


class Layout:
    """The dtype and shape that tensors of a kind always have; reads them faster than decode().

    Args:
        dtype: the host's.
        shape: of the whole array.
    """

    def __init__(self, dtype: Any, shape: tuple[int, ...]) -> None:
        host = np.dtype(dtype)
        self._dtype = host
        self._shape = shape
        # Of a dtype that this host holds otherwise there is no such tensor.
        self._code = _CODES[host] if _DTYPES[_CODES[host]].isnative else None
        self._num_bytes = math.prod(shape) * host.itemsize

    def decode(self, tensor: Any) -> np.ndarray:
        """A new, writable array; a tensor that is none of these is what it says, as by decode."""
        data = tensor.data
        if tensor.dtype != self._code or len(data) != self._num_bytes:
            return decode(tensor)
        return np.ndarray(self._shape, self._dtype, data).copy()
