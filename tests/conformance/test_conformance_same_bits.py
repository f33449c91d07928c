"""Whole stories told through every client: the same bits, to the last one."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from livnd import CultureStimulus, SeriesSelection
from serving import TASK, Serve

from conformance.drivers import Answer, Client


def digest(answer: Answer) -> dict[str, str]:
    """Type, shape and bits of every array, by name."""
    return {
        name: f"{array.dtype} {array.shape} {hashlib.sha256(array.tobytes()).hexdigest()[:16]}"
        for name, array in sorted(answer.items())
    }


def some_actions(session: Any, rng: np.random.Generator) -> np.ndarray:
    return rng.uniform(-1, 1, session.actions(0).shape).astype(np.float32)


def episodes(client: Client) -> Iterator[Answer]:
    """Resets of all sorts, and steps beyond the end of an episode."""
    rng = np.random.default_rng(3)
    session = client.session(TASK, 3)
    yield session.reset([5, 2**64 - 1, 0])
    for step in range(session.spec.max_episode_steps + 20):
        if step == 11:
            yield session.reset(mask=[False, True, False])
        if step == 23:
            yield session.reset([None, 8, 9], [True, True, False], {"target_rate_hz": 5.0})
        yield session.step(some_actions(session, rng))
        if step % 10 == 0:
            yield session.observe()
    yield session.reset()
    yield session.reset([None, 4, None])
    yield session.step(some_actions(session, rng))
    session.close()


def other_episodes(client: Client) -> Iterator[Answer]:
    """An environment without infos, whose episodes the client ends."""
    session = client.session("Null-v0", 5, "disabled")
    yield session.reset(range(5))
    for value in (0.25, -1, 1e-38):
        yield session.step(session.actions(value))
        yield session.reset(mask=[True, False, True, False, False])
        yield session.observe()
    session.close()


def runs(client: Client) -> Iterator[Answer]:
    """A culture that is stimulated, changed, and learns."""
    culture = client.culture("EI-mini", 3)
    culture.configure(
        spikes=True,
        series=[
            SeriesSelection("voltage_mv", [(0, 0), (9, 0), (0, 6)], sample_dt_ms=0.1),
            SeriesSelection("electrode_potential_uv", sample_dt_ms=1.0, dtype=np.float32),
            SeriesSelection("learned_weight", sample_dt_ms=10.0),
        ],
    )
    yield culture.clear([1, 2**64 - 1, 3])
    yield culture.describe(learned_weights=True)
    yield culture.run(40)
    pulse = np.zeros((3, 20, 2))
    pulse[:, 2:6] = 3.0, -3.0
    pulse[1] *= 0.5
    stimuli = [
        CultureStimulus("electrode_ua", pulse, 0.1, [0, 3]),
        CultureStimulus("current_na", [[0], [0.3], [0]], 10.0, [(0, 0)]),
    ]
    yield culture.run(40.025, stimuli)
    culture.configure(params={"noise-std_e": 0.002, "EXC_EXC-dend-AMPA-weight": 2.5})
    culture.configure(plasticity_on=True, noise_stream=9)
    density = [[0.01], [-0.01]] * 20
    yield culture.run(
        60, [CultureStimulus("current_density_ma_cm2", density, 0.11, [(1, 0)], timing="livn")]
    )
    learned = culture.describe(learned_weights=True)
    yield learned
    culture.configure(learned_weights=np.clip(learned["learned_weights"] * 1.5, 0.0001, 5))
    yield culture.clear([None, 7, None], repeat_noise=True)
    yield culture.run(20)
    yield culture.clear(noise_stream=4, forget_learned_weights=True)
    yield culture.run(20)
    yield culture.describe(learned_weights=True)
    culture.close()


def a_failure(client: Client) -> Iterator[Answer]:
    """The numbers of one copy leave their range; the others go on."""
    culture = client.culture("EI-mini", 3)
    culture.configure(spikes=True, series=[SeriesSelection("voltage_mv", [(0, 0)], 1.0)])
    yield culture.clear([1, 2, 3])
    samples = np.zeros((3, 20, 1))
    samples[1, 5:] = 1e9
    yield culture.run(20, [CultureStimulus("current_na", samples, 1.0, [(0, 0)])])
    yield culture.run(20)
    yield culture.describe()
    yield culture.clear()
    yield culture.run(20)
    culture.close()


@pytest.mark.parametrize("story", [episodes, other_episodes, runs, a_failure])
def test_a_story_has_the_same_bits_through_every_client(
    all_drivers, server: Serve, story: Callable[[Client], Iterator[Answer]]
):
    told = []
    for driver in all_drivers:
        client = driver.connect(server.address)
        told.append([digest(answer) for answer in story(client)])
        client.close()
    for number, (one, other) in enumerate(zip(*told, strict=True)):
        assert one == other, number
    assert len(told[0]) >= 5


def described(value: Any) -> Any:
    """A description as plain values."""
    if isinstance(value, np.ndarray):
        return digest({"array": value})
    if dataclasses.is_dataclass(value):
        names = [field.name for field in dataclasses.fields(value)]
        return {name: described(getattr(value, name)) for name in names}
    if isinstance(value, (list, tuple)):
        return [described(element) for element in value]
    return value


def test_what_a_server_has_is_described_alike(all_drivers, server: Serve):
    told = []
    for driver in all_drivers:
        client = driver.connect(server.address)
        specs = client.environments()
        assert {TASK, "Culture-EI-mini-v0", "Null-v0"} <= {spec.environment_id for spec in specs}
        names = client.systems()
        assert {"EI-mini", "EI-100"} <= set(names)
        told.append(
            [
                described(client.info()),
                described(specs),
                [described(client.environment(spec.environment_id)) for spec in specs],
                names,
                [described(client.system(name)) for name in names],
            ]
        )
        assert told[-1][1] == told[-1][2]
        client.close()
    assert told[0] == told[1]
