"""Gymnasium spaces of served environments, and what their numbers mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium import error, spaces

from livnd import checks
from livnd.errors import LivndError
from livnd.specs import EnvironmentSpec, TensorSpec


def box(spec: TensorSpec) -> spaces.Box:
    """The Box of one copy's tensor, with its dtype, shape and bounds of each element."""
    return spaces.Box(
        low=spec.low.astype(spec.dtype), high=spec.high.astype(spec.dtype), dtype=spec.dtype.type
    )


def action_space(spec: EnvironmentSpec) -> spaces.Box:
    """One copy's actions. LivndError for an environment with other than one action tensor."""
    return box(_only(spec, "action", spec.actions))


def observation_space(spec: EnvironmentSpec) -> spaces.Box:
    """One copy's observations. LivndError for other than one observation tensor."""
    return box(_only(spec, "observation", spec.observations))


def resumed(seen: tuple[np.ndarray, dict[str, Any]] | None) -> tuple[np.ndarray, dict[str, Any]]:
    """What a reset that resumes gives: what observe() saw. ResetNeeded where that is nothing."""
    if seen is None:
        raise error.ResetNeeded("there is no episode to resume")
    return seen


def metadata(spec: EnvironmentSpec, render_modes: Sequence[str]) -> dict[str, Any]:
    """What an environment's `metadata` says: render modes and physical meaning.

    `settings` holds the task's numbers with their units in the names; actions are fractions of
    the largest amplitude, so that action * settings["max_amplitude_ua"] is a current in uA.
    Frames at `render_fps` show the culture in its own time.
    """
    return {
        "render_modes": list(render_modes),
        **({"render_fps": 1000.0 / spec.step_duration_ms} if render_modes else {}),
        "environment_id": spec.environment_id,
        "physics_version": spec.physics_version,
        "step_duration_ms": spec.step_duration_ms,
        "max_episode_steps": spec.max_episode_steps,
        "settings": dict(spec.settings),
        "action_names": spec.actions[0].element_names,
        "observation_names": spec.observations[0].element_names,
    }


def resumes(seed: Any, options: Mapping[str, Any]) -> bool:
    """Whether options of a reset say that the running episode goes on.

    Raises:
        InvalidFieldError: there is something else beside it.
    """
    if "resume" not in options:
        return False
    if options["resume"] is not True or seed is not None or len(options) > 1:
        accepted = "True, without a seed and other options"
        raise checks.wrong("options['resume']", options["resume"], accepted)
    return True


def single_info(infos: dict[str, np.ndarray], began: np.ndarray | None = None) -> dict[str, Any]:
    """The info of the only copy of a session: Python numbers for scalars, arrays for the rest.

    Where an episode began, `began` is its seed [1], which the info then tells as `episode_seed`,
    a NumPy uint64 (a Python int would not fit into the arrays of Gymnasium's vector environments).
    """
    info = {k: v[0].item() if v.ndim == 1 else v[0].copy() for k, v in infos.items()}
    if began is not None:
        info["episode_seed"] = began[0]
    return info


def vector_info(
    infos: dict[str, np.ndarray],
    mask: np.ndarray,
    seeds: np.ndarray,
    began: np.ndarray,
    final: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Gymnasium's vector form: each array, zero outside the mask, beside the mask as `_name`.

    Where copies began an episode, `episode_seed` has its seed, in the same form; and where they
    began it in the step that ended another, `final` is that one's final_info().
    """
    vector: dict[str, Any] = _masked(infos, mask)
    if final:
        # In the order in which SyncVectorEnv meets the names: it goes from copy to copy, and tells
        # of each the end first.
        vector = final | vector if began[0] else vector | final
    if began.any():
        vector["episode_seed"] = np.where(began, seeds, np.uint64(0))
        vector["_episode_seed"] = began.copy()
    return vector


def final_info(
    observations: np.ndarray, infos: dict[str, np.ndarray], ended: np.ndarray
) -> dict[str, Any]:
    """Gymnasium's `final_obs` and `final_info`, beside their masks.

    Args:
        observations: the last ones of the episodes that ended, a row each.
        infos: the same.
        ended: bool [num_envs], whose these are.
    """
    final_obs = np.full(len(ended), None, dtype=object)
    for copy, observation in zip(np.flatnonzero(ended), observations, strict=True):
        final_obs[copy] = observation.copy()
    spread = {}
    for name, rows in infos.items():
        spread[name] = np.zeros((len(ended), *rows.shape[1:]), rows.dtype)
        spread[name][ended] = rows
    return {
        "final_obs": final_obs,
        "_final_obs": ended.copy(),
        "final_info": _masked(spread, ended),
        "_final_info": ended.copy(),
    }


def _masked(infos: dict[str, np.ndarray], mask: np.ndarray) -> dict[str, Any]:
    masked = {}
    for name, values in infos.items():
        values[~mask] = 0
        masked[name] = values
        masked[f"_{name}"] = mask.copy()
    return masked


def _only(spec: EnvironmentSpec, kind: str, tensors: tuple[TensorSpec, ...]) -> TensorSpec:
    if len(tensors) != 1:
        raise LivndError(
            f"{spec.environment_id} has {len(tensors)} {kind} tensors; this client's Gymnasium "
            "environments take one (livnd.connect() gives all)"
        )
    return tensors[0]
