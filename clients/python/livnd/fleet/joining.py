"""Answers of several servers as one: their copies one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from livnd.results import ObserveResult, RenderResult, ResetResult, StepResult


def resets(parts: Sequence[ResetResult]) -> ResetResult:
    """Of a reset, or what the copies show after one."""
    return ResetResult(
        observations=_tensors([part.observations for part in parts]),
        infos=_named([part.infos for part in parts]),
        seeds=_rows([part.seeds for part in parts]),
    )


def steps(parts: Sequence[StepResult], is_same_step: bool) -> StepResult:
    """Of a step."""
    columns: dict[str, Any] = {
        name: _rows([getattr(part, name) for part in parts])
        for name in ("rewards", "terminated", "truncated", "episode_seeds", "began")
    }
    result = StepResult(
        observations=_tensors([part.observations for part in parts]),
        infos=_named([part.infos for part in parts]),
        **columns,
    )
    # Only those have rows where an episode ended.
    ended = [part for part in parts if part.final_observations] if is_same_step else []
    if ended:
        result.final_observations = _tensors([part.final_observations for part in ended])
        result.final_infos = _named([part.final_infos for part in ended])
    return result


def observed(parts: Sequence[ObserveResult]) -> ObserveResult:
    """Of an Observe; next_op_index is the least of all."""
    return ObserveResult(
        observations=_tensors([part.observations for part in parts]),
        infos=_named([part.infos for part in parts]),
        next_op_index=min(part.next_op_index for part in parts),
        **{
            name: _rows([getattr(part, name) for part in parts])
            for name in ("episodes", "ticks", "episode_seeds")
        },
    )


def rendered(parts: Sequence[RenderResult]) -> RenderResult:
    """Of a Render."""
    columns: dict[str, Any] = {
        name: _rows([getattr(part, name) for part in parts])
        for name in RenderResult.__dataclass_fields__
        if not name.endswith("_offsets")
    }
    for name in ("spike_offsets", "pulse_offsets"):
        # How many rows each copy has, and where they begin among all.
        counts = _rows([np.diff(getattr(part, name)) for part in parts])
        columns[name] = np.concatenate([[0], np.cumsum(counts)])
    return RenderResult(**columns)


def _rows(arrays: list[np.ndarray]) -> np.ndarray:
    return np.concatenate(arrays)


def _tensors(parts: list[tuple[np.ndarray, ...]]) -> tuple[np.ndarray, ...]:
    return tuple(_rows(list(arrays)) for arrays in zip(*parts, strict=True))


def _named(parts: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    return {name: _rows([part[name] for part in parts]) for name in parts[0]}
