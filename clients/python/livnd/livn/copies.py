"""Copies of an Env's culture, all of which one call runs."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np

from livnd import checks
from livnd.culture import CultureInfo, CultureSession, CultureStimulus
from livnd.errors import invalid_field
from livnd.livn.recordings import Recordings
from livnd.livn.run import Run
from livnd.livn.stimulus import as_stimulus, to_culture_stimulus
from livnd.specs import System

# Calls of sessions that are apart, at one time.
_MAX_CALLS = 32


class Copies:
    """Cultures that have their parameters and recordings in common; made by Env.copies().

    All of them are in one session, which has one clock: one call runs them all. The first clear()
    of some of them gives each a session of its own, and from then on they run side by side, in a
    call each; the first clear() of all with a seed each brings them together again. Nothing but
    time depends on it.

    A copy (copy.deepcopy) or a pickle of it goes on where it is. One caller at a time.
    """

    def __init__(
        self,
        session: CultureSession,
        info: CultureInfo,
        system: System,
        recordings: Recordings,
        timing: str,
    ) -> None:
        self.num = session.num_envs
        self._together = session
        self._apart: list[CultureSession] = []  # a session a copy, or none
        self._info = info
        self._system = system
        self._recordings = recordings
        self._timing = timing
        self._calls: ThreadPoolExecutor | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_calls": None}

    @property
    def sessions(self) -> list[CultureSession]:
        """Where the copies are: all in one session, or each in its own."""
        return self._apart or [self._together]

    def close(self) -> None:
        """Ends their sessions. Idempotent."""
        for session in [*self._apart, self._together]:
            session.close()
        if self._calls is not None:
            self._calls.shutdown()
            self._calls = None

    def clear(
        self,
        seeds: Sequence[int | None] | None = None,
        *,
        which: np.ndarray | None = None,
        forget_learned_weights: bool = False,
    ) -> None:
        """Puts copies back to time 0, at rest.

        Args:
            seeds: [num], of the noise from now on; None, whole or as an entry: the copy goes on to
                the next noise stream of the seed that it has.
            which: bool [num]; None: all.
            forget_learned_weights: their learned weights become 1 again.
        """
        chosen = list(range(self.num)) if which is None else np.flatnonzero(which).tolist()
        if not chosen:
            return
        given = [None] * self.num if seeds is None else list(seeds)
        num_seeds = sum(given[copy] is not None for copy in chosen)
        # Of a session all copies have the same noise stream, the first where a seed is given.
        all_seeded = num_seeds == self.num
        if all_seeded or (len(chosen) == self.num and not num_seeds and not self._apart):
            self._together.clear(
                given if all_seeded else None, forget_learned_weights=forget_learned_weights
            )
            apart, self._apart = self._apart, []
            for session in apart:
                session.close()
            return
        self._part()
        self._each(
            chosen,
            lambda copy: self._apart[copy].clear(
                None if given[copy] is None else [given[copy]],
                forget_learned_weights=forget_learned_weights,
            ),
        )

    def run(
        self,
        duration: float,
        stimuli: Sequence[Any] | None = None,
        which: np.ndarray | None = None,
        *,
        features: np.ndarray | None = None,
    ) -> tuple[list[Run | None], np.ndarray]:
        """Runs copies on for `duration` ms.

        Args:
            duration: ms.
            stimuli: [num], each as Env.run() takes it; None, whole or as an entry: none. They must
                be over when the run is. In one session those that are given have quantity,
                channels and sampling step in common.
            which: bool [num]; None: all. The others run, too, without a stimulus, where all are in
                one session.
            features: [num, inputs] or [num, steps, inputs], as of Env.run().

        Returns:
            What was recorded of each of them, None of the others; and bool [num], whose numbers
            have left their range: their run is good up to there, and clear() starts them anew.

        Raises:
            InvalidFieldError: nothing has run.
            NumericalFailureError: all had failed before.
        """
        chosen = np.ones(self.num, np.bool_) if which is None else np.asarray(which, np.bool_)
        given = [None] * self.num if stimuli is None else list(stimuli)
        electrodes = self._system.electrode_ids
        acting: list[CultureStimulus | None] = [None] * self.num
        for copy in np.flatnonzero(chosen).tolist():
            if given[copy] is not None:
                check_over(given[copy], duration)
                acting[copy] = to_culture_stimulus(
                    given[copy], self._info, electrodes, self._timing
                )
        runs: list[Run | None] = [None] * self.num
        failed = np.zeros(self.num, np.bool_)
        if self._apart:
            copies = np.flatnonzero(chosen).tolist()

            def of_one(copy: int) -> Any:
                stimulus = acting[copy]
                given = None if features is None else features[copy : copy + 1]
                acts = () if stimulus is None else [stimulus]
                return self._apart[copy].run(duration, acts, features=given)

            for copy, recording in zip(copies, self._each(copies, of_one), strict=True):
                runs[copy] = self._recordings.to_run(self._info, electrodes, recording)
                failed[copy] = not np.isnan(recording.failed_at_ms[0])
        else:
            recording = self._together.run(duration, _joined(acting), features=features)
            for copy in np.flatnonzero(chosen).tolist():
                runs[copy] = self._recordings.to_run(self._info, electrodes, recording, copy)
            failed = chosen & ~np.isnan(recording.failed_at_ms)
        return runs, failed

    def _part(self) -> None:
        """Gives each copy a session of its own, in which it goes on where it is."""
        if self._apart:
            return
        apart: list[CultureSession] = []
        try:
            for copy in range(self.num):
                apart += self._together.fork(copy_of=[copy])
        except BaseException:
            for session in apart:
                session.close()
            raise
        self._apart = apart

    def _each(self, copies: Sequence[int], call: Any) -> list[Any]:
        """What a call answers for each of the copies; calls are made side by side."""
        if self._calls is None:
            self._calls = ThreadPoolExecutor(min(self.num, _MAX_CALLS), "livnd-copies")
        return list(self._calls.map(call, copies))


def check_over(stimulus: Any, duration: float) -> None:
    """InvalidFieldError for a stimulus that is not over when a run of `duration` ms is.

    What is left of it would act in the next run, unless another copy had one there.
    """
    given = as_stimulus(stimulus)
    array = checks.array("stimulus", given.array)
    length_ms = (len(array) if array.ndim else 1) * checks.number("dt", given.dt)
    if length_ms > duration * (1 + 1e-9):
        accepted = f"{duration:g} ms at most, the length of the run"
        raise invalid_field("stimulus", f"{length_ms:g} ms", accepted)


def _joined(stimuli: Sequence[CultureStimulus | None]) -> list[CultureStimulus]:
    """One stimulus of all copies, where zeros stand for what one of them has not; or none."""
    first = next((each for each in stimuli if each is not None), None)
    if first is None:
        return []
    length = max(len(each.samples) for each in stimuli if each is not None)
    samples = np.zeros((len(stimuli), length, first.samples.shape[1]))
    for copy, each in enumerate(stimuli):
        if each is None:
            continue
        for name in ("quantity", "sample_dt_ms", "channels", "timing", "wavelength_nm"):
            got, wanted = getattr(each, name), getattr(first, name)
            if got != wanted:
                accepted = f"{wanted!r}, as of the other copies"
                raise checks.wrong(f"stimuli[{copy}].{name}", got, accepted)
        samples[copy, : len(each.samples)] = each.samples
    return [replace(first, samples=samples)]
