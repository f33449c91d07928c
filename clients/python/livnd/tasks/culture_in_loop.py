"""A culture in the loop of a Gymnasium task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from livnd import checks
from livnd.errors import NumericalFailureError
from livnd.livn.copies import check_over
from livnd.livn.env import Env, make
from livnd.tasks.behind import Decoding, Encoding, TaskBehind
from livnd.tasks.codings import Features, with_codings


class CultureInLoop(TaskBehind):
    """A Gymnasium task whose actions come from a culture, which the agent stimulates.

    A step: the agent's action becomes a stimulus (`encoding`), the culture runs for
    `step_duration_ms` with it, what was recorded becomes the task's action (`decoding`), and the
    task steps. Observations, rewards and ends are the task's.

    Seeds: reset(seed) seeds the task and the noise of the culture, and puts the culture back to
    time 0, so that it and the resets after it give the same bits every time. A reset without a
    seed goes on with the task's random numbers and with the culture's next noise stream.

    A copy (copy.deepcopy) or a pickle is another environment, with a culture of its own, which
    begins where this one is; the callables have to allow for it.

    Args:
        task: a gymnasium.Env, which is closed with this one, or an id for gymnasium.make().
        culture: a livnd.Env as it is, set up as wanted; or the name of a system, of which
            livnd.make() makes one that records spikes and is closed with this one.
        encoding: takes an action and gives a stimulus as livnd.Env.run() takes it
            (culture.cell_stimulus(...), an array, a livnd.Stimulus), over when the step is; or
            None: no stimulus. Or one of the server's (docs/codings.md), by name or {"name": "rate",
            "max_hz": 80}, which the culture then has: its inputs are the agent's actions, and
            its step is the loop's.
        decoding: takes the livnd.Run of a step and gives the task's action. Of a Box: as many
            numbers, those beyond its bounds taken for the bound. Of a Discrete space: a number,
            rounded. Of others: what they contain. Or one of the server's, whose value `action`, or
            only value, is the action.
        step_duration_ms: how long the culture runs in a step.
        episodes: "clear": a reset puts the culture back to time 0, at rest; what synapses have
            learned stays. "continue": the culture goes on where it is, unless the reset has a seed.
            reset(options={"culture": "continue"}) says so for one reset.
        keep_learned_weights: a reset with a seed leaves what synapses have learned, too; it gives
            the same bits only where they do not learn.
        action_space: of the agent's actions; None: the encoding's action_space (input_space,
            feature_space), or the task's where it has none.
        options: of livnd.make(), where the culture is made here: address, seed, threads ...

    Attributes:
        task, culture: as given, or as made here.

    Raises:
        InvalidFieldError: an argument is none of these.
        UnknownEnvironmentError, ServerUnavailableError, ServerStartError.
    """

    def __init__(
        self,
        task: gymnasium.Env[Any, Any] | str,
        culture: Env | str,
        encoding: Encoding | str | Mapping[str, Any],
        decoding: Decoding | str | Mapping[str, Any],
        *,
        step_duration_ms: float = 100.0,
        episodes: str = "clear",
        keep_learned_weights: bool = False,
        action_space: spaces.Space[Any] | None = None,
        **options: Any,
    ) -> None:
        self.step_duration_ms = step_duration(step_duration_ms)
        self._keeps_learned = checks.flag("keep_learned_weights", keep_learned_weights)
        self.culture, self._is_own = culture_of(culture, options)
        try:
            coded = with_codings(self.culture, encoding, decoding, self.step_duration_ms)
            super().__init__(task, *coded, episodes, action_space)
        except BaseException:
            if self._is_own:
                self.culture.close()
            raise

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Starts an episode.

        Args:
            seed: 0 .. 2**64 - 1, as far as the task takes it; None: as the class says.
            options: "culture" says what becomes of the culture, "clear" or "continue"; the rest
                is the task's.

        Returns:
            The task's observation and info.
        """
        observation, info = super().reset(seed=seed, options=options)
        clears, seed = self.wants_clear
        if clears:
            forget = seed is not None and not self._keeps_learned
            self.culture.clear(seed=seed, keep_learned_weights=not forget)
        return observation, info

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Runs the culture, then the task.

        Returns:
            What the task does; info["task_action"] is what the culture made it do. Where the
            culture's numbers have left their range the episode is truncated, with
            info["culture_failed"], and the next reset clears the culture.

        Raises:
            InvalidFieldError: of action or stimulus: nothing has changed. Of what the decoding
                gave: the culture has gone on; reset.
            gymnasium.error.ResetNeeded: reset first.
            UnknownSessionError, ServerUnavailableError ...: as livnd.Env.run().
        """
        stimulus = self.encode(action)
        features = stimulus if isinstance(stimulus, Features) else None
        if features is not None:
            stimulus = None
        elif stimulus is not None:
            check_over(stimulus, self.step_duration_ms)
        try:
            run = self.culture.run(self.step_duration_ms, stimulus, features=features)
        except NumericalFailureError as error:
            return self.act(error.run, failed=True)
        return self.act(run, failed=False)

    def close(self) -> None:
        """Closes the task, and the culture where it was made here. Idempotent."""
        super().close()
        if self._is_own:
            self.culture.close()

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_is_own": True}  # of a copy


def step_duration(given: Any) -> float:
    """The length of a step, ms."""
    accepted = "a number of ms above 0"
    length_ms = checks.number("step_duration_ms", given, accepted)
    if not 0 < length_ms < np.inf:
        raise checks.wrong("step_duration_ms", given, accepted)
    return length_ms


def culture_of(given: Any, options: dict[str, Any]) -> tuple[Env, bool]:
    """The culture, and whether it was made here."""
    if isinstance(given, str):
        return make(given, **options).record_spikes(), True
    accepted = "a livnd.Env, or the name of a system"
    if not isinstance(given, Env):
        raise checks.wrong("culture", given, accepted)
    if options:
        raise checks.wrong(next(iter(options)), options, "nothing beside a culture that is there")
    return given, False
