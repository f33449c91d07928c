"""livnd.tasks.CultureInLoopVectorEnv: several cultures between an agent and as many tasks."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import gymnasium
import livnd
import numpy as np
import pytest
from beside_livn import SYSTEM
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from livnd import errors
from livnd.culture import CultureSession
from livnd.tasks import CultureInLoop, CultureInLoopVectorEnv
from loops import STEP_MS, Blow, Pendulum, Pulse, Takes, Torque
from same import assert_same

AT_ONCE, APART = (4, 4, 4), (3, 4, 5)  # how long episodes are


@pytest.fixture
def culture(address: str) -> Iterator[livnd.Env]:
    """With a past of its own, which each copy begins with."""
    with livnd.make(SYSTEM, address=address) as culture:
        culture.record_spikes().run(7)
        yield culture


@pytest.fixture
def make(culture: livnd.Env) -> Iterator[Callable[..., CultureInLoopVectorEnv]]:
    made = []

    def make(lengths: Any = AT_ONCE, **options: Any) -> CultureInLoopVectorEnv:
        given = {"encoding": Pulse(), "decoding": Torque(), "step_duration_ms": STEP_MS}
        given |= {"tasks": [partial(Pendulum, n) for n in lengths], "culture": culture, **options}
        made.append(CultureInLoopVectorEnv(**given))
        return made[-1]

    yield make
    for each in made:
        each.close()


def singles(culture: livnd.Env, lengths: Any, mode: AutoresetMode, episodes: str) -> SyncVectorEnv:
    def single(length: int) -> CultureInLoop:
        own = copy.deepcopy(culture)
        return CultureInLoop(
            Pendulum(length), own, Pulse(), Torque(), step_duration_ms=STEP_MS, episodes=episodes
        )

    return SyncVectorEnv([partial(single, n) for n in lengths], autoreset_mode=mode)


# All but the exception that test_a_culture_goes_on_while_its_task_is_reset() is of.
CASES = [
    (mode, episodes, lengths)
    for mode in AutoresetMode
    for episodes in ("clear", "continue")
    for lengths in (AT_ONCE, APART)
    if (mode, episodes, lengths) != (AutoresetMode.NEXT_STEP, "continue", APART)
]


@pytest.mark.parametrize(("mode", "episodes", "lengths"), CASES)
def test_it_is_what_single_ones_are(make, culture, mode, episodes, lengths):
    envs = make(lengths, autoreset_mode=mode, episodes=episodes)
    expected = singles(culture, lengths, mode, episodes)
    rng = np.random.default_rng(1)
    for seed in (7, None, [3, None, 5], None):
        assert_same(envs.reset(seed=seed), expected.reset(seed=seed))
        for _ in range(11):
            actions = rng.uniform(-1, 2, (3, 1)).astype(np.float32)
            got, wanted = envs.step(actions), expected.step(actions)
            assert_same(got, wanted)
            ended = got[2] | got[3]
            if mode == AutoresetMode.DISABLED and ended.any():
                mask = {"reset_mask": ended}
                assert_same(envs.reset(options=dict(mask)), expected.reset(options=dict(mask)))
    expected.close()


def test_one_call_runs_all_cultures(make, monkeypatch):
    calls = []
    run = CultureSession.run

    def counted(self: CultureSession, *args: Any, **kwargs: Any) -> Any:
        calls.append(self.num_envs)
        return run(self, *args, **kwargs)

    monkeypatch.setattr(CultureSession, "run", counted)
    envs = make(AT_ONCE)
    envs.reset(seed=1)
    for _ in range(7):
        envs.step(np.ones((3, 1), np.float32))
    assert calls == [3] * 6  # all are reset in the fifth
    # Where episodes end apart each has a session of its own, until all are seeded again.
    envs = make(APART)
    envs.reset(seed=1)
    for _ in range(6):
        envs.step(np.ones((3, 1), np.float32))
    assert len(envs.cultures.sessions) == 3
    del calls[:]
    envs.step(np.ones((3, 1), np.float32))
    assert sorted(calls) == [1, 1, 1]
    envs.reset(seed=1)
    assert len(envs.cultures.sessions) == 1


def test_a_culture_goes_on_while_its_task_is_reset(make):
    """NEXT_STEP, and cultures that go on: they have one clock."""
    envs = make((2, 9, 9), episodes="continue")
    told = []
    for _ in range(2):
        envs.reset(seed=1)
        told.append([envs.step(np.ones((3, 1), np.float32))[0].tobytes() for _ in range(6)])
    assert told[0] == told[1]
    (session,) = envs.cultures.sessions
    assert session.describe().ticks == 6 * STEP_MS / 0.025


def test_the_culture_itself_stays_as_it_is(make, culture):
    envs = make()
    envs.reset(seed=1)
    envs.step(np.ones((3, 1), np.float32))
    assert culture.t == 7
    assert culture.seed == 123


def test_copies_begin_as_the_culture_is(make, culture):
    culture.enable_plasticity()
    culture.record_voltage(sections="soma")
    weights = np.linspace(0.5, 1.5, len(culture.get_weights()))
    culture._session.configure(learned_weights=weights[np.newaxis])
    seen = []
    envs = make(decoding=lambda run: seen.append(run.voltage.shape) or 0.0)
    (session,) = envs.cultures.sessions

    def learned() -> np.ndarray:
        return session.describe(learned_weights=True).learned.weights

    assert (learned() == weights).all()
    envs.reset()
    envs.step(np.ones((3, 1), np.float32))
    assert seen == [(10, STEP_MS / 0.1)] * 3
    np.testing.assert_allclose(learned(), [weights] * 3, atol=0.1)
    envs.reset(seed=1)
    assert (learned() == 1).all()


@pytest.mark.parametrize("lengths", [AT_ONCE, APART], ids=["at-once", "apart"])
@pytest.mark.parametrize("way", [copy.deepcopy, lambda envs: pickle.loads(pickle.dumps(envs))])
def test_a_copy_goes_on_where_it_is(make, way, lengths):
    envs = make(lengths)
    envs.reset(seed=2)
    actions = np.ones((3, 1), np.float32)
    for _ in range(6):
        envs.step(actions)
    other = way(envs)
    for _ in range(6):
        assert_same(envs.step(actions), other.step(actions))
    assert_same(envs.reset(seed=1), other.reset(seed=1))
    assert_same(envs.step(actions), other.step(actions))
    other.close()
    envs.step(actions)


def test_a_culture_that_fails_ends_its_episode_alone(make):
    envs = make((9, 9, 9), encoding=Blow(), autoreset_mode="SameStep", episodes="continue")
    envs.reset(seed=1)
    *_, truncated, infos = envs.step(np.array([[0.0], [1.0], [0.0]], np.float32))
    assert truncated.tolist() == [False, True, False]
    assert infos["final_info"]["culture_failed"].tolist() == [False, True, False]
    *_, truncated, infos = envs.step(np.zeros((3, 1), np.float32))
    assert not truncated.any()
    ticks = [session.describe().ticks for session in envs.cultures.sessions]
    assert ticks == [1600, 800, 1600]


def test_spaces_are_those_of_the_tasks(make):
    envs = make()
    task = Pendulum()
    assert envs.single_observation_space == task.observation_space
    assert envs.single_action_space == task.action_space
    assert envs.observation_space.shape == (3, 3)
    envs.action_space.seed(1)
    assert envs.action_space.sample().shape == (3, 1)
    assert envs.metadata["autoreset_mode"] == AutoresetMode.NEXT_STEP
    told = make(action_space=spaces.Box(-1, 1, (2,), np.float32))
    assert told.action_space.shape == (3, 2)


def test_gymnasiums_wrappers_take_it(make):
    envs = gymnasium.wrappers.vector.RecordEpisodeStatistics(make(APART, autoreset_mode="SameStep"))
    envs.reset(seed=1)
    lengths = []
    for _ in range(5):
        *_, infos = envs.step(np.ones((3, 1), np.float32))
        if "episode" in infos:
            lengths += infos["episode"]["l"][infos["_episode"]].tolist()
    assert lengths == [3, 4, 5]


def test_ended_episodes_wait_for_a_reset_under_disabled(make):
    envs = make(APART, autoreset_mode="Disabled")
    envs.reset(seed=1)
    for _ in range(3):
        envs.step(np.ones((3, 1), np.float32))
    (session,) = envs.cultures.sessions
    ticks = session.describe().ticks
    with pytest.raises(gymnasium.error.ResetNeeded):
        envs.step(np.ones((3, 1), np.float32))
    assert session.describe().ticks == ticks
    envs.reset(options={"reset_mask": np.array([True, False, False])})
    envs.step(np.ones((3, 1), np.float32))


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"tasks": []}, "tasks"),
        ({"tasks": "Pendulum-v1"}, "tasks"),
        ({"tasks": [3]}, "tasks[0]"),
        ({"tasks": [lambda: 3]}, "task"),
        ({"culture": 3}, "culture"),
        ({"encoding": 3}, "encoding"),
        ({"decoding": 3}, "decoding"),
        ({"autoreset_mode": "Never"}, "autoreset_mode"),
        ({"step_duration_ms": -1}, "step_duration_ms"),
        ({"episodes": None}, "episodes"),
        ({"keep_learned_weights": None}, "keep_learned_weights"),
        ({"action_space": 3}, "action_space"),
        ({"threads": 1}, "threads"),
    ],
)
def test_wrong_arguments_are_told(make, wrong: dict[str, Any], field: str):
    with pytest.raises(errors.InvalidFieldError) as told:
        make(**wrong)
    assert told.value.field == field


@pytest.mark.parametrize(
    "actions",
    [np.ones((2, 1)), np.ones((3, 2)), np.full((3, 1), np.nan), np.full((3, 1), 9.0), None, "a"],
    ids=["two", "wide", "nan", "large", "none", "text"],
)
def test_wrong_actions_change_nothing(make, actions: Any):
    envs = make()
    envs.reset(seed=1)
    with pytest.raises(errors.InvalidFieldError):
        envs.step(actions)
    (session,) = envs.cultures.sessions
    assert session.describe().ticks == 0
    envs.step(np.ones((3, 1)))


def test_stimuli_of_one_session_are_of_one_kind(make):
    kinds = {
        0: livnd.Stimulus(np.zeros((2, 8)), 1.0, input_mode="electrode"),
        1: livnd.Stimulus(np.zeros((2, 8)), 2.0, input_mode="electrode"),
        2: livnd.Stimulus(np.zeros((2, 1)), 1.0, input_mode="current", gids=[0]),
    }
    envs = make(
        tasks=[partial(Takes, spaces.Discrete(3))] * 3,
        encoding=lambda action: kinds[int(action)],
        decoding=lambda run: 0,
    )
    envs.reset(seed=1)
    envs.step([0, 0, 0])
    for actions, field in (
        ([0, 0, 1], "stimuli[2].sample_dt_ms"),
        ([0, 2, 0], "stimuli[1].quantity"),
    ):
        with pytest.raises(errors.InvalidFieldError) as told:
            envs.step(actions)
        assert told.value.field == field
    (session,) = envs.cultures.sessions
    assert session.describe().ticks == STEP_MS / 0.025


@pytest.mark.parametrize("wrong", [{"seed": [1, 2]}, {"seed": -1}, {"options": 3}])
def test_a_wrong_reset_changes_nothing(make, wrong: dict[str, Any]):
    envs = make()
    envs.reset(seed=1)
    envs.step(np.ones((3, 1)))
    with pytest.raises(errors.InvalidFieldError):
        envs.reset(**wrong)
    (session,) = envs.cultures.sessions
    assert session.describe().ticks == STEP_MS / 0.025


def test_what_was_made_here_ends_here(address: str, client: livnd.Client):
    envs = CultureInLoopVectorEnv(["Pendulum-v1"] * 2, SYSTEM, Pulse(), Torque(), address=address)
    envs.reset(seed=1)
    sessions = [session.name for session in envs.cultures.sessions]
    envs.step(envs.action_space.sample())
    envs.close()
    for name in sessions:
        with pytest.raises(errors.UnknownSessionError):
            client.session_info(name)
