"""What Step answered, as arrays: read in every step, and so by what is known of it beforehand."""

from __future__ import annotations

from typing import Any

import numpy as np

from livnd.results import StepResult
from livnd.specs import EnvironmentSpec
from livnd.tensors import Layout, decode


class StepReader:
    """Makes StepResults of the answers of one session. Thread-safe.

    Args:
        spec: the session's environment.
        num_envs: its copies.
        same_step: whether answers hold what episodes that ended in a step showed last.
    """

    def __init__(self, spec: EnvironmentSpec, num_envs: int, same_step: bool) -> None:
        self._observations = [Layout(s.dtype, (num_envs, *s.shape)) for s in spec.observations]
        self._infos = [(s.name, Layout(s.dtype, (num_envs, *s.shape))) for s in spec.infos]
        self._numbers = Layout(np.float64, (num_envs,))
        self._flags = Layout(np.bool_, (num_envs,))
        self._seeds = Layout(np.uint64, (num_envs,))
        self._same_step = same_step

    def read(self, response: Any) -> StepResult:
        """Arrays of the caller's own, of a StepResponse."""
        flags = self._flags
        result = StepResult(
            observations=tuple(
                [
                    layout.decode(tensor)
                    for layout, tensor in zip(
                        self._observations, response.observations, strict=True
                    )
                ]
            ),
            rewards=self._numbers.decode(response.rewards),
            terminated=flags.decode(response.terminated),
            truncated=flags.decode(response.truncated),
            infos={
                name: layout.decode(tensor)
                for (name, layout), tensor in zip(self._infos, response.infos, strict=True)
            },
            episode_seeds=self._seeds.decode(response.episode_seeds),
            began=flags.decode(response.began),
        )
        if self._same_step:
            result.final_observations = tuple([decode(t) for t in response.final_observations])
            if response.final_infos:
                result.final_infos = {
                    name: decode(tensor)
                    for (name, _), tensor in zip(self._infos, response.final_infos, strict=True)
                }
        return result
