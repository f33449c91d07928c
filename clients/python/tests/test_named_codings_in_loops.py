"""CultureInLoop with encodings and decodings that the server does, by name."""

from __future__ import annotations

import copy
from functools import partial
from typing import Any

import gymnasium
import livnd
import numpy as np
import pytest
from beside_livn import SYSTEM
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from livnd import errors
from livnd.tasks import CultureInLoop, CultureInLoopVectorEnv
from loops import STEP_MS, Pendulum, Pulse
from same import assert_same

RATE = {"name": "rate", "max_hz": 100}


@pytest.fixture
def culture(address: str) -> Any:
    with livnd.make(SYSTEM, address=address) as culture:
        yield culture


def single(culture: livnd.Env, length: int = 200) -> CultureInLoop:
    return CultureInLoop(
        Pendulum(length), culture, RATE, "first_spike_action", step_duration_ms=STEP_MS
    )


def test_the_server_encodes_and_decodes(culture: livnd.Env, address: str):
    env = single(culture)
    assert env.action_space.shape == (8,)
    assert (env.action_space.low == 0).all() and (env.action_space.high == 1).all()
    env.reset(seed=1)
    with livnd.connect(address) as client, client.create_culture(SYSTEM) as by_hand:
        by_hand.configure(encoding={**RATE, "step_ms": STEP_MS}, decodings=["first_spike_action"])
        by_hand.clear([1])
        moved = set()
        for step in range(6):
            action = np.full(8, step / 6, np.float32)
            recording = by_hand.run(STEP_MS, features=action[np.newaxis])
            wanted = float(recording.decoded[0]["action"][0])
            told = env.step(action)[4]["task_action"]
            assert told == np.float32(wanted)
            moved.add(wanted)
        assert len(moved) > 2


def test_spikes_are_there_for_a_callable_beside_it(culture: livnd.Env):
    culture.record_spikes()
    env = CultureInLoop(
        Pendulum(), culture, RATE, lambda run: len(run.spike_times) - 2, step_duration_ms=STEP_MS
    )
    env.reset(seed=1)
    assert env.step(np.ones(8, np.float32))[4]["task_action"] == 2
    env = CultureInLoop(
        Pendulum(), culture, Pulse(), "first_spike_action", step_duration_ms=STEP_MS
    )
    env.reset(seed=1)
    env.step(np.ones(1, np.float32))


@pytest.mark.parametrize("lengths", [(4, 4, 4), (3, 4, 5)], ids=["at-once", "apart"])
@pytest.mark.parametrize("mode", list(AutoresetMode))
def test_many_are_what_single_ones_are(culture: livnd.Env, mode: AutoresetMode, lengths: Any):
    envs = CultureInLoopVectorEnv(
        [partial(Pendulum, n) for n in lengths],
        culture,
        RATE,
        "first_spike_action",
        step_duration_ms=STEP_MS,
        autoreset_mode=mode,
    )
    expected = SyncVectorEnv(
        [partial(single, copy.deepcopy(culture), n) for n in lengths], autoreset_mode=mode
    )
    rng = np.random.default_rng(1)
    assert_same(envs.reset(seed=7), expected.reset(seed=7))
    for _ in range(9):
        actions = rng.uniform(0, 1, (3, 8)).astype(np.float32)
        got, wanted = envs.step(actions), expected.step(actions)
        assert_same(got, wanted)
        ended = got[2] | got[3]
        if mode == AutoresetMode.DISABLED and ended.any():
            mask = {"reset_mask": ended}
            assert_same(envs.reset(options=dict(mask)), expected.reset(options=dict(mask)))
    envs.close()
    expected.close()


@pytest.mark.parametrize(
    ("encoding", "decoding"),
    [("rates", "first_spike_action"), (RATE, "no_such"), ({"name": "rate", "hz": 1}, "bursts")],
)
def test_what_the_server_does_not_know_is_told(culture: livnd.Env, encoding: Any, decoding: Any):
    with pytest.raises(errors.InvalidFieldError):
        CultureInLoop(Pendulum(), culture, encoding, decoding)
    culture.run(1)


def test_a_decoding_of_several_values_wants_a_callable(culture: livnd.Env):
    env = CultureInLoop(Pendulum(), culture, RATE, "firing_rates", step_duration_ms=STEP_MS)
    env.reset(seed=1)
    with pytest.raises(errors.InvalidFieldError) as told:
        env.step(np.ones(8, np.float32))
    assert told.value.field == "decoding"
    culture.use_codings(decodings=["firing_rates"])
    env = CultureInLoop(
        Pendulum(),
        culture,
        RATE,
        lambda run: run.decoded[0]["mean_rate_hz"] / 10 - 2,
        step_duration_ms=STEP_MS,
    )
    env.reset(seed=1)
    assert env.step(np.ones(8, np.float32))[4]["task_action"] > -2


def test_the_step_is_the_encodings(culture: livnd.Env):
    env = CultureInLoop(
        gymnasium.make("Pendulum-v1"), culture, "rate", "first_spike_action", step_duration_ms=50
    )
    env.reset(seed=1)
    env.step(np.zeros(8, np.float32))
    assert culture.info.ticks == 2000
