"""What the tests that hold livnd.Env beside livn 2.0.0 itself share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import livnd
import numpy as np

SYSTEM = "EI-mini"
# livn's voltages are float32: near -75 mV the next number is 8e-6 away.
VOLTAGE_MV = 2e-5


def both(env: livnd.Env, livn_env: Any, do: Callable[[Any], Any]) -> tuple[Any, Any]:
    """What `do` answers of ours and of livn's."""
    return do(env), do(livn_env)


def assert_same_spikes(ours: Any, theirs: Any) -> None:
    """The same cells fire in both runs, at times equal to 1e-9 ms."""

    def trains(run: Any) -> dict[int, list[float]]:
        ids, times, *_ = run
        return {int(g): sorted(times[ids == g].tolist()) for g in np.unique(ids)}

    a, b = trains(ours), trains(theirs)
    assert a.keys() == b.keys()
    for gid in a:
        np.testing.assert_allclose(a[gid], b[gid], rtol=0, atol=1e-9)


def assert_same_voltages(ours: Any, theirs: Any, tolerance_mv: float = VOLTAGE_MV) -> None:
    """Both runs' voltages have the same rows, and differ by `tolerance_mv` at most."""
    _, _, ours_ids, ours_v, *_ = ours
    _, _, theirs_ids, theirs_v, *_ = theirs
    np.testing.assert_array_equal(ours_ids, theirs_ids)
    assert ours_v.dtype == theirs_v.dtype
    np.testing.assert_allclose(ours_v, theirs_v, rtol=0, atol=tolerance_mv)
