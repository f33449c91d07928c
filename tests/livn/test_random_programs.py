"""Random programs of livn's Env do on livnd what they do on livn's native backend."""

from __future__ import annotations

import contextlib
import os
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import livnd
import numpy as np
import pytest
from programs import draw, kind_of

SYSTEM = Path(__file__).resolve().parents[2] / "tests/data/served/EI-mini"
EDGE_MS = 0.03  # a step and some
NUM_PROGRAMS = int(os.environ.get("LIVND_LIVN_PROGRAMS", "60"))


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """livn says that the graph is of an older version; some arrays overflow on purpose."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def outcome(call: Any, env: Any) -> Any:
    try:
        found = call(env)
    except Exception as error:
        return f"refused: {kind_of(error)}"
    return "the env" if found is env else found


def assert_same(ours: Any, theirs: Any, where: str) -> None:
    if hasattr(theirs, "channels"):  # a Run
        assert list(ours.channels) == list(theirs.channels), where
        assert (ours.t0, ours.duration) == (theirs.t0, theirs.duration), where
        _assert_same_spikes(ours, theirs, where)
        for name in set(theirs.channels) - {"spikes"}:
            assert ours[name].dt == theirs[name].dt, where
            assert_same(ours[name].ids, theirs[name].ids, f"{where}, ids of {name}")
            assert_same(ours[name].values, theirs[name].values, f"{where}, {name}")
            assert_same(ours[name].sections, theirs[name].sections, f"{where}, sections of {name}")
    elif isinstance(theirs, np.ndarray):
        assert ours.shape == theirs.shape, where
        assert ours.dtype == theirs.dtype, where
        if theirs.dtype.kind == "f":
            np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=2e-3, err_msg=where)
        else:
            np.testing.assert_array_equal(ours, theirs, err_msg=where)
    elif isinstance(theirs, Mapping):
        assert ours.keys() == theirs.keys(), where
        for key in theirs:
            assert_same(ours[key], theirs[key], f"{where}[{key}]")
    elif isinstance(theirs, (tuple, list)):
        assert len(ours) == len(theirs), where
        for i, (a, b) in enumerate(zip(ours, theirs, strict=True)):
            assert_same(a, b, f"{where}[{i}]")
    elif isinstance(theirs, float):
        assert ours == pytest.approx(theirs, rel=1e-5, abs=1e-6, nan_ok=True), where
    else:
        assert type(ours) is type(theirs), f"{where}: {ours!r}, {theirs!r}"
        assert ours == theirs, where


def _assert_same_spikes(ours: Any, theirs: Any, where: str) -> None:
    assert ours.spike_ids.dtype == theirs.spike_ids.dtype, where
    assert ours.spike_times.dtype == theirs.spike_times.dtype, where
    # A spike at a run's very end belongs to the next one in livnd (docs/differences.md).
    a, b = (
        sorted(
            (gid, t)
            for gid, t in zip(run.spike_ids.tolist(), run.spike_times.tolist(), strict=True)
            if EDGE_MS < t < run.duration - EDGE_MS
        )
        for run in (ours, theirs)
    )
    assert [gid for gid, _ in a] == [gid for gid, _ in b], where
    np.testing.assert_allclose([t for _, t in a], [t for _, t in b], rtol=0, atol=1e-6)


@pytest.fixture(scope="module", autouse=True)
def one_server() -> Iterator[None]:
    """Programs come and go; the server stays for the next one."""
    with livnd.connect(systems=SYSTEM.parent) as client:
        client.systems()
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("LIVND_ADDRESS", client.address)
            yield


@pytest.mark.parametrize("seed", range(NUM_PROGRAMS))
def test_a_random_program_does_the_same(seed: int) -> None:
    from livn.backend.native.env import Env as Native
    from livn.models.rcsd import ReducedCalciumSomaDendrite
    from livnd.livn.backend import Env as Ours

    # Half a step beside the 2 ms between pulses: whether the window holds its own end differs
    # (docs/differences.md).
    model = ReducedCalciumSomaDendrite(refractory_period=1.9875)
    with quietly():
        theirs, ours = (kind(str(SYSTEM), model, seed=seed).init() for kind in (Native, Ours))
        if seed % 4:
            theirs.apply_default_params()
            ours.apply_default_params()
        calls = draw(seed, len(theirs.active_gids()), len(theirs.io.electrode_coordinates))
        told = []
        for name, call in calls:
            told.append(name)
            expected, found = outcome(call, theirs), outcome(call, ours)
            assert_same(found, expected, f"seed {seed}: {', '.join(told)}")
        theirs.close()
        ours.close()
