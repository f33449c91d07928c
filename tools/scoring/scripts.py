"""A script for each task: what somebody who knows the task would do, without learning.

A script takes the arena and gives what it plays: observations [N, size] -> actions [N, electrodes].
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from arena import Act, Arena


def cart_pole(arena: Arena) -> Act:
    """Pulses on the half that the pole falls towards, stronger the further it has fallen."""
    seen = arena.spec.observations[0]
    gains = {"cart_position": 0.1, "cart_velocity": 0.3, "pole_angle": 2.0, "pole_velocity": 0.6}

    def act(observations: np.ndarray) -> np.ndarray:
        push = sum(gain * observations[:, seen.index(name)] for name, gain in gains.items())
        return two_ends(arena, push, part=0.5)

    return act


def pong(arena: Arena) -> Act:
    """Pulses on the end towards which the ball will be from the paddle."""

    def act(observations: np.ndarray) -> np.ndarray:
        return two_ends(arena, 5.0 * (arrival(arena, observations) - paddle(arena, observations)))

    return act


def target_rate(arena: Arena) -> Act:
    """Pulses on all electrodes, stronger the further the rate is below the target."""
    seen = arena.spec.observations[0]

    def act(observations: np.ndarray) -> np.ndarray:
        target = observations[:, seen.index("target_rate_hz")]
        missing = (target - observations[:, seen.index("rate_hz")]) / 6.0
        return np.repeat(np.clip(missing, 0.0, 1.0)[:, None], len(arena.places), axis=1)

    return act


def pattern_evocation(arena: Arena) -> Act:
    """A pulse on the electrode where most is wanted early, where much is wanted."""
    num = len(arena.places)

    def act(observations: np.ndarray) -> np.ndarray:
        early = observations[:, :num]
        amplitudes = np.zeros_like(early)
        amplitudes[np.arange(len(early)), early.argmax(axis=1)] = 0.7
        return amplitudes * (early.sum(axis=1) > 1.5 * num)[:, None]

    return act


def burst_suppression(arena: Arena) -> Act:
    """A full pulse on one electrode while bursts cost; begins and ends some steps early."""
    seen, longest = arena.spec.observations[0], 20

    def act(observations: np.ndarray) -> np.ndarray:
        guarded = observations[:, seen.index("is_guarded")] > 0
        soon = observations[:, seen.index("steps_left")] * longest < 3.5
        amplitudes = np.zeros((len(observations), len(arena.places)))
        amplitudes[:, len(arena.places) // 2] = guarded != soon
        return amplitudes

    return act


SCRIPTS: dict[str, Callable[[Arena], Act]] = {
    "BurstSuppression": burst_suppression,
    "CartPole": cart_pole,
    "PatternEvocation": pattern_evocation,
    "Pong": pong,
    "PongFeedback": pong,  # while the agent is heard; at other times it does nothing
    "TargetRate": target_rate,
}


def two_ends(arena: Arena, push: np.ndarray, part: float = 0.25) -> np.ndarray:
    """Amplitudes at the high end of the array where push [N] is positive, else at the low one."""
    along = (arena.places[:, 0] + 1) / 2
    low, high = along < part, along > 1 - part
    return np.clip(push, 0, 1)[:, None] * high + np.clip(-push, 0, 1)[:, None] * low


def paddle(arena: Arena, observations: np.ndarray) -> np.ndarray:
    """Where the middle of the paddle is, 0 .. 1."""
    return (observations[:, arena.spec.observations[0].index("paddle_y")] + 1) / 2


def arrival(arena: Arena, observations: np.ndarray) -> np.ndarray:
    """Where the ball meets the paddle's line, 0 .. 1; the middle while it flies away."""
    seen, settings = arena.spec.observations[0], arena.spec.settings
    x, y = ((observations[:, seen.index(name)] + 1) / 2 for name in ("ball_x", "ball_y"))
    speed = observations[:, seen.index("ball_velocity_x")] * settings["ball_speed"]
    climb = observations[:, seen.index("ball_velocity_y")] * settings["max_vertical"]
    comes = speed < 0
    time_s = np.where(comes, x / np.maximum(-speed, 1e-6), 0.0)
    folded = np.mod(y + climb * time_s, 2.0)  # the sides reflect
    return np.where(comes, np.where(folded > 1, 2 - folded, folded), 0.5)
