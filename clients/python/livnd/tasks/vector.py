"""Cultures in the loop of several Gymnasium tasks, all of which one call runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.vector.utils import iterate

from livnd import checks
from livnd.errors import invalid_field
from livnd.gym.batch import autoreset_mode_of, seeds_of
from livnd.livn.env import Env
from livnd.livn.run import Run
from livnd.tasks.behind import Decoding, Encoding, TaskBehind
from livnd.tasks.codings import Features, with_codings
from livnd.tasks.culture_in_loop import culture_of, step_duration

Task = gymnasium.Env[Any, Any]


class _Slot(TaskBehind):
    """One of the tasks, whose culture has run before it is stepped."""

    met: tuple[Run | None, bool] = (None, False)

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        run, failed = self.met
        self.met = (None, False)
        return self.act(run, failed)


class CultureInLoopVectorEnv(SyncVectorEnv):
    """As many cultures as tasks: a step runs all cultures by one call, and then the tasks.

    Copy i does what CultureInLoop(tasks[i], ...) does, and is told as SyncVectorEnv tells it, with
    the same bits in all three autoreset modes. (With one exception: under NEXT_STEP with episodes
    that "continue", a copy whose task is being reset has its culture go on without a stimulus
    while others step, for cultures in one session have one clock.)

    One call runs all cultures as long as they have been cleared together. Where episodes that
    "clear" end at different steps, each culture gets a session of its own, and a step is a call of
    each, side by side.

    Args:
        tasks: what makes each task, as SyncVectorEnv takes them, or an id for gymnasium.make().
        culture: each copy begins as this livnd.Env is now, which itself stays as it is; or the name
            of a system, as CultureInLoop takes it.
        encoding, decoding: as CultureInLoop's; called for one copy after the other.
        autoreset_mode: an AutoresetMode, or its value.
        step_duration_ms, episodes, keep_learned_weights, action_space, options: as CultureInLoop.

    Attributes:
        cultures: the copies of the culture (livnd.livn.copies.Copies).

    Raises:
        InvalidFieldError: an argument is none of these.
        CapacityError: more copies than the server takes.
    """

    def __init__(
        self,
        tasks: Sequence[Callable[[], Task] | str],
        culture: Env | str,
        encoding: Encoding | str | Mapping[str, Any],
        decoding: Decoding | str | Mapping[str, Any],
        *,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        step_duration_ms: float = 100.0,
        episodes: str = "clear",
        keep_learned_weights: bool = False,
        action_space: spaces.Space[Any] | None = None,
        **options: Any,
    ) -> None:
        self.step_duration_ms = step_duration(step_duration_ms)
        self._keeps_learned = checks.flag("keep_learned_weights", keep_learned_weights)
        mode = autoreset_mode_of(autoreset_mode)
        accepted = "a list of what makes each task: callables, or ids for gymnasium.make()"
        makers = checks.entries("tasks", tasks, accepted)
        if not makers:
            raise checks.wrong("tasks", tasks, accepted)
        for i, maker in enumerate(makers):
            if not (isinstance(maker, str) or callable(maker)):
                raise checks.wrong(f"tasks[{i}]", maker, accepted)

        begins_as, is_own = culture_of(culture, options)
        self._own = begins_as if is_own else None

        def slot(maker: Any) -> _Slot:
            task = maker if isinstance(maker, str) else maker()
            return _Slot(task, *coded, episodes, action_space)

        try:
            coded = with_codings(begins_as, encoding, decoding, self.step_duration_ms)
            super().__init__([partial(slot, maker) for maker in makers], autoreset_mode=mode)
            self.env_fns = ()  # the tasks are made, and callables cannot be pickled
            self.cultures = begins_as.copies(self.num_envs)
        except BaseException:
            if is_own:
                begins_as.close()
            raise
        self._ended = np.zeros(self.num_envs, np.bool_)

    @property
    def _slots(self) -> list[_Slot]:
        return self.envs  # type: ignore[return-value]

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[Any, dict[str, Any]]:
        """Starts an episode in every copy, or in those of options["reset_mask"].

        Args:
            seed: s gives the copies s, s + 1, ...; a list has one entry a copy; None, whole or as
                an entry: as CultureInLoop.reset() without one.
            options: `reset_mask`, bool [num_envs]; the rest as CultureInLoop.reset().
        """
        seeds = seeds_of(seed, self.num_envs)
        given = dict(checks.mapping("options", {} if options is None else options, "a dictionary"))
        mask = given.get("reset_mask", np.ones(self.num_envs, np.bool_))
        for slot in self._slots:
            slot.wants_clear = (False, None)
        result = super().reset(seed=seeds, options=given or None)  # refuses a wrong mask
        self._ended &= ~mask
        self._clear()
        return result

    def step(self, actions: Any) -> tuple[Any, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Runs all cultures, and then the tasks; what has ended is reset as the mode says.

        Args:
            actions: of action_space; ignored for copies that are reset.
        """
        steps = np.ones(self.num_envs, np.bool_)
        if self.autoreset_mode == AutoresetMode.NEXT_STEP:
            steps = ~self._ended
        stimuli = self._stimuli(actions, steps)
        features = _features(stimuli)
        if features is not None:
            stimuli = [None] * self.num_envs
        if steps.any():
            runs, failed = self.cultures.run(
                self.step_duration_ms, stimuli, steps, features=features
            )
            for each, run, has_failed in zip(self._slots, runs, failed.tolist(), strict=True):
                each.met = (run, has_failed)
        result = super().step(actions)
        _, _, terminated, truncated, _ = result
        self._ended = terminated | truncated
        self._clear()
        return result

    def close_extras(self, **kwargs: Any) -> None:
        """Closes the tasks, and ends the sessions of the cultures."""
        super().close_extras(**kwargs)
        self.cultures.close()
        if self._own is not None:
            self._own.close()

    def __del__(self) -> None:
        """Does nothing, as RemoteVectorEnv's."""

    def _stimuli(self, actions: Any, steps: np.ndarray) -> list[Any]:
        """What the copies that step are given; nothing has changed whatever it raises."""
        accepted = f"{self.num_envs} actions, as of {self.action_space}"
        try:
            each = list(iterate(self.action_space, actions))
        except (TypeError, ValueError, KeyError):
            raise checks.wrong("actions", actions, accepted) from None
        if len(each) != self.num_envs:
            raise invalid_field("actions", f"{len(each)} of them", accepted)
        stimuli: list[Any] = [None] * self.num_envs
        for copy in np.flatnonzero(steps).tolist():
            stimuli[copy] = self._slots[copy].encode(each[copy])
        return stimuli

    def _clear(self) -> None:
        """Does with the cultures what the resets of the tasks have asked for."""
        wishes = [slot.wants_clear for slot in self._slots]
        for slot in self._slots:
            slot.wants_clear = (False, None)
        seeds = [seed for _, seed in wishes]
        seeded = np.array([seed is not None for seed in seeds])
        clears = np.array([wanted for wanted, _ in wishes])
        forgets = clears & seeded & (not self._keeps_learned)
        if not forgets.any() or (forgets == clears).all():
            self.cultures.clear(seeds, which=clears, forget_learned_weights=bool(forgets.any()))
            return
        for which, forget in ((forgets, True), (clears & ~forgets, False)):
            self.cultures.clear(seeds, which=which, forget_learned_weights=forget)


def _features(stimuli: list[Any]) -> np.ndarray | None:
    """Of all copies, where an encoding of the server's is given them; or None.

    Copies that are being reset get what the first of the others is given, and nobody asks for it.
    """
    first = next((each for each in stimuli if isinstance(each, Features)), None)
    if first is None:
        return None
    return np.stack([np.asarray(first if each is None else each) for each in stimuli])
