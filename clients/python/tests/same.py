"""Equality to the last bit."""

from __future__ import annotations

import numpy as np


def assert_same(got, want):
    """Same types, keys, order, dtypes, shapes and bits."""
    assert type(got) is type(want)
    if isinstance(want, dict):
        assert list(got) == list(want)
        for key in want:
            assert_same(got[key], want[key])
    elif isinstance(want, tuple):
        assert len(got) == len(want)
        for a, b in zip(got, want, strict=True):
            assert_same(a, b)
    elif want is not None:
        assert (got.dtype, got.shape) == (want.dtype, want.shape)
        if want.dtype == np.dtype(object):
            assert_same(tuple(got), tuple(want))
        else:
            assert got.tobytes() == want.tobytes()
