"""Electrode potentials as the samples of a CL recording."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from livnd.datasets.formats import pytables
from livnd.datasets.formats.options import Converted, Options
from livnd.datasets.formats.timeline import Timeline
from livnd.datasets.recordings import RecordingFile

_BEFORE, _AFTER = 25, 50  # samples of a spike
_UV_PER_UNIT = 0.195  # as a CL1 has it
_MAX_UNIT = 32767
_SPAN_VALUES = 1 << 23  # read at once for the samples of spikes


class Samples:
    """The samples of a file, where the recording has a potential for each frame.

    Args:
        recording: open.
        timeline: of the copy.
        frames: of ticks.
        ids: of the electrodes, in the order of the potentials.
        options: of the conversion.
        made: is told what is left out.
    """

    def __init__(
        self,
        recording: RecordingFile,
        timeline: Timeline,
        frames: Callable[[np.ndarray], np.ndarray],
        ids: np.ndarray,
        options: Options,
        made: Converted,
    ) -> None:
        self._stream = recording.streams.get("potentials")
        self._timeline, self._frames, self._ids = timeline, frames, ids
        self._options = options
        self._data: Any = None
        self._largest = 0.0
        self._means = np.zeros(int(ids.max()) + 1)
        self._scale = _UV_PER_UNIT
        if self._stream is None:
            return
        step = self._survey()
        if step != 1:
            self._stream = None
            at = f"{step} frames apart" if step else "not evenly spaced"
            rate = recording.streams["potentials"].attributes.get("sample_dt_ms")
            hint = f"; frames_per_second={1000 / rate:g} takes them along" if step and rate else ""
            made.notes.append(f"potentials are {at}, and no samples of frames{hint}")

    def write(self, file: Any, num_frames: int) -> float:
        """The array `samples`, if there is one; returns uV a unit."""
        if self._stream is None:
            return self._scale
        if self._largest > _UV_PER_UNIT * _MAX_UNIT:
            self._scale = self._largest / _MAX_UNIT
        width = int(self._ids.max()) + 1
        self._data = pytables.new_array(file, "samples", (width,), np.int16, num_frames)
        done = 0
        for rows in self._stream.parts():
            own = self._timeline.own(rows)
            done += len(rows)
            self._options.progress("writing samples", done, self._stream.num_rows)
            if not len(own):
                continue
            begin = int(self._frames(self._timeline.ticks(own[:1]))[0])
            block = np.zeros((len(own), width), np.int16)
            block[:, self._ids] = np.rint(_matrix(own) / self._scale)
            self._data[begin : begin + len(own)] = block
        return self._scale

    def around(self, frames: np.ndarray, channels: np.ndarray) -> np.ndarray:
        """What the channels had around frames that rise, uV less the channel's mean, [frames, 75].

        0 before the first and after the last sample; NaN without samples.
        """
        length = _BEFORE + _AFTER
        found = np.full((len(frames), length), np.nan, np.float32)
        if self._data is None or not len(frames):
            return found
        found[:] = 0
        num_frames, width = self._data.shape
        span = max(length, _SPAN_VALUES // width)
        begin = 0
        while begin < len(frames):
            end = int(np.searchsorted(frames, frames[begin] + span, side="right"))
            low = max(0, int(frames[begin]) - _BEFORE)
            high = min(num_frames, int(frames[end - 1]) + _AFTER)
            values = self._data[low:high] * self._scale - self._means
            where = frames[begin:end, None] + np.arange(-_BEFORE, _AFTER) - low
            inside = (where >= 0) & (where < len(values))
            picked = values[np.clip(where, 0, len(values) - 1), channels[begin:end, None]]
            found[begin:end] = np.where(inside, picked, 0)
            begin = end
        return found

    def _survey(self) -> int:
        """Frames between samples, 0 if that changes; notes the largest sample and the means."""
        last, step, even, count = None, 0, True, 0
        sums = np.zeros(len(self._ids))
        for rows in self._stream.parts():
            own = self._timeline.own(rows)
            if not len(own):
                continue
            values = _matrix(own)
            self._largest = max(self._largest, float(np.abs(values).max(initial=0.0)))
            sums += values.sum(axis=0, dtype=np.float64)
            count += len(own)
            frames = self._frames(self._timeline.ticks(own))
            steps = np.diff(frames if last is None else np.concatenate([[last], frames]))
            step = step or (int(steps[0]) if len(steps) else 0)
            even &= bool((steps == step).all())
            last = frames[-1]
        self._means[self._ids] = sums / max(count, 1)
        return step if even else 0


def _matrix(rows: np.ndarray) -> np.ndarray:
    return rows["values"].reshape(len(rows), -1)
