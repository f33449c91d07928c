"""One run of livn's, in as many calls of the server as its size needs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from livnd.culture import CultureSession, Recording, SeriesSelection
from livnd.errors import NumericalFailureError, TooManySpikesError
from livnd.livn.backend.recordings import Part, Recordings, Rows, assemble
from livnd.livn.backend.stimuli import Mode

# Of recordings in one answer; where a sample is needed at every step it is some times as much.
_MAX_BYTES = 8 * 2**20
_MAX_MS = 1e4


class Clock:
    """Where a culture stands.

    Attributes:
        dt: length of a step, ms; None before the first run.
        ticks: steps since the last clear.
        told_ms: the durations that the server was asked for since then, summed up.
        asked: what the server records, as a key.
    """

    def __init__(self) -> None:
        self.dt: float | None = None
        self.asked: Any = None
        self.clear()

    def clear(self) -> None:
        self.ticks = 0
        self.told_ms = 0.0

    def start(self, dt: float) -> None:
        """The first run since a clear begins."""
        self.dt = dt
        self.clear()


@dataclass(frozen=True)
class Recorded:
    """What one run left.

    Attributes:
        spike_gids: uint32 [num_spikes], by time.
        spike_times: float64 [num_spikes], ms since the start of the run.
        voltage, current: float32 [rows, samples].
        weights: [weights, samples], of the start of the run and every stride after it.
    """

    spike_gids: np.ndarray
    spike_times: np.ndarray
    voltage: np.ndarray
    current: np.ndarray
    weights: np.ndarray


def run(
    session: CultureSession,
    clock: Clock,
    recordings: Recordings,
    modes: Iterable[Mode],
    t0: float,
    duration: float,
    weights_stride: int | None = None,
) -> Recorded:
    """Runs a culture on for `duration` ms, from what livn has as the time t0.

    With `weights_stride` the learned weights are sampled every so many steps.

    Raises:
        NumericalFailureError: its numbers left their range.
        LivndError: as the server answered; the clock stands where the server does.
    """
    modes = [mode for mode in modes if mode.is_active]
    end_tick = clock.ticks + round(duration / clock.dt)
    end_ms = clock.told_ms + duration
    most_ms = _longest_ms(clock, recordings, modes)
    pieces: list[tuple[list[Part], Recording]] = []
    while clock.ticks < end_tick:
        left = end_tick - clock.ticks
        num_ticks = min(left, max(1, int(most_ms / clock.dt)))
        if weights_stride and num_ticks < left:
            # The samples of each piece begin with it.
            num_ticks = min(left, max(1, num_ticks // weights_stride) * weights_stride)
        ms = end_ms - clock.told_ms if num_ticks == left else num_ticks * clock.dt
        parts = recordings.parts(clock.ticks, num_ticks, clock.dt)
        until_ms = (clock.ticks + num_ticks) * clock.dt
        try:
            _ask(session, clock, recordings, parts, weights_stride)
            windows = (mode.window(clock.told_ms, until_ms) for mode in modes)
            recording = session.run(ms, [window for window in windows if window is not None])
        except TooManySpikesError:
            _forget_sent(modes)
            if num_ticks == 1:
                raise
            if num_ticks == weights_stride:
                raise
            most_ms = num_ticks // 2 * clock.dt
            continue
        except BaseException:
            _forget_sent(modes)
            raise
        clock.ticks += recording.num_ticks
        clock.told_ms += ms
        pieces.append((parts, recording))
        if not np.isnan(recording.failed_at_ms[0]):
            raise NumericalFailureError(
                f"the culture left the range of numbers after {recording.failed_at_ms[0]:g} ms; "
                "clear() starts anew",
                reason="NUMERICAL_FAILURE",
            )
    clock.told_ms = end_ms
    return _recorded(clock, recordings, pieces, t0)


def _longest_ms(clock: Clock, recordings: Recordings, modes: Iterable[Mode]) -> float:
    """How long one call of the server may run."""
    per_ms = recordings.bytes_per_ms(clock.dt)
    recorded_ms = _MAX_BYTES / per_ms if per_ms else _MAX_MS
    return min(_MAX_MS, recorded_ms, *(mode.max_ms() for mode in modes))


def _ask(
    session: CultureSession,
    clock: Clock,
    recordings: Recordings,
    parts: Sequence[Part],
    weights_stride: int | None,
) -> None:
    """Has the server record the parts, where it does not yet."""
    spikes = tuple(recordings.spikes)
    key = (
        spikes,
        weights_stride,
        *((p.rows.quantity, p.rows.version, p.sample_dt, p.stride) for p in parts),
    )
    if key != clock.asked:
        clock.asked = None
        series = [part.to_selection(clock.dt) for part in parts]
        if weights_stride:
            series.append(SeriesSelection("learned_weight", (), weights_stride * clock.dt))
        session.configure(spikes=bool(spikes), spike_populations=spikes or None, series=series)
        clock.asked = key


def _forget_sent(modes: Iterable[Mode]) -> None:
    for mode in modes:
        mode.forget_sent()


def _recorded(
    clock: Clock, recordings: Recordings, pieces: list[tuple[list[Part], Recording]], t0: float
) -> Recorded:
    def joined(rows: Rows) -> np.ndarray:
        found = [
            assemble(rows, parts, recording.series[: len(parts)]) for parts, recording in pieces
        ]
        if len(found) == 1:
            return found[0]
        return np.concatenate([np.zeros((len(rows), 0), np.float32), *found], axis=1)

    weights = [r.series[len(parts)][0] for parts, r in pieces if len(r.series) > len(parts)]
    gids = [recording.spike_gids for _, recording in pieces]
    times = [(r.start_tick * clock.dt - t0) + r.spike_times_ms for _, r in pieces]
    return Recorded(
        np.concatenate([np.zeros(0, np.int64), *gids]).astype(np.uint32),
        np.maximum(np.concatenate([np.zeros(0), *times]), 0.0),
        joined(recordings.voltage),
        joined(recordings.current),
        np.concatenate(weights, axis=1) if weights else np.zeros((0, 0)),
    )
