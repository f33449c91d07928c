"""Frames of render_mode="rgb_array": what they show, and that they change nothing."""

from __future__ import annotations

import dataclasses

import gymnasium
import livnd
import numpy as np
import pytest
from conftest import ENVIRONMENT, GYM_ID
from livnd.gym.env import RemoteEnv
from livnd.gym.render import MODES
from livnd.gym.vector import RemoteVectorEnv
from livnd.gym.views.electrodes import SIDE, ElectrodeMap, can_draw


@pytest.fixture
def env(address):
    env = RemoteEnv(ENVIRONMENT, address, render_mode="rgb_array")
    yield env
    env.close()


@pytest.fixture
def spec(client):
    return client.environment(ENVIRONMENT)


@pytest.fixture
def system(client, spec):
    return client.system(spec.system)


@pytest.fixture
def electrode_map(spec, system):
    return ElectrodeMap(spec, system)


def observed(spec, **values):
    """An observation that is 0 but for the named elements."""
    observation = np.zeros(spec.observations[0].shape, np.float32)
    for name, value in values.items():
        observation[spec.observations[0].index(name.replace("_t0", "_t-0"))] = value
    return observation


def changed(frame, other):
    """(row, column) of the middle of the pixels in which two frames differ, and their number."""
    rows, columns = np.nonzero((frame != other).any(axis=2))
    return (rows.mean(), columns.mean()) if len(rows) else None, len(rows)


def test_a_frame_is_an_image(env):
    env.reset(seed=1)
    frames = [env.render()]
    env.step(env.action_space.sample())
    frames.append(env.render())
    for frame in frames:
        assert frame.dtype == np.uint8 and frame.shape == (SIDE, SIDE, 3)
        assert frame.flags.owndata and frame.flags.writeable
    assert (frames[0] != frames[1]).any()
    frames[1][:] = 0
    assert env.render().any(), "a frame is the caller's own"


def test_the_modes_are_told(env):
    assert env.render_mode == "rgb_array"
    assert RemoteEnv.metadata["render_modes"] == list(MODES)
    assert env.metadata["render_modes"][:3] == ["rgb_array", "rgb_array_list", "ansi"]
    assert env.metadata["render_fps"] == 1000 / env.environment_spec.step_duration_ms


def test_every_electrode_lights_up_in_its_place(electrode_map, spec, system):
    dark = electrode_map.frame(observed(spec))
    spots = {}
    for electrode in system.electrode_ids:
        frame = electrode_map.frame(observed(spec, **{f"spikes_e{electrode}_t0": 3}))
        spots[electrode], number = changed(frame, dark)
        assert 0 < number < SIDE * SIDE / 10
    at = np.array([spots[electrode] for electrode in system.electrode_ids])
    x, y, _ = system.electrode_positions_um.T
    # Columns go with x, rows against y, and both by the same scale.
    scale = np.ptp(at[:, 1]) / np.ptp(x)
    np.testing.assert_allclose(at[:, 1] - at[0, 1], scale * (x - x[0]), atol=1.0)
    np.testing.assert_allclose(at[:, 0] - at[0, 0], -scale * (y - y[0]), atol=1.0)


def test_more_spikes_are_darker_and_older_ones_do_not_show(electrode_map, spec, system):
    name = f"spikes_e{system.electrode_ids[2]}"
    sums = [
        electrode_map.frame(observed(spec, **{f"{name}_t0": count})).sum(dtype=np.int64)
        for count in (0, 1, 4, 40)
    ]
    assert sums == sorted(sums, reverse=True) and len(set(sums)) == 4
    before = observed(spec)
    before[spec.observations[0].index(f"{name}_t-1")] = 5
    np.testing.assert_array_equal(electrode_map.frame(before), electrode_map.frame(observed(spec)))


def test_a_pulse_colours_its_electrode_by_sign_and_strength(electrode_map, spec, system):
    electrode = int(system.electrode_ids[1])
    index = spec.actions[0].index(f"amplitude_e{electrode}")
    still = electrode_map.frame(observed(spec), np.zeros(spec.actions[0].shape))
    np.testing.assert_array_equal(still, electrode_map.frame(observed(spec)))
    balance = []
    for amplitude in (-1.0, -0.3, 0.3, 1.0):
        action = np.zeros(spec.actions[0].shape)
        action[index] = amplitude
        frame = electrode_map.frame(observed(spec), action)
        place, _ = changed(frame, still)
        lit, _ = changed(
            electrode_map.frame(observed(spec, **{f"spikes_e{electrode}_t0": 9})), still
        )
        np.testing.assert_allclose(place, lit, atol=1.0)
        difference = frame.astype(int) - still
        balance.append(difference[..., 0].sum() - difference[..., 2].sum())
    assert balance == sorted(balance) and balance[1] < 0 < balance[2], "red above 0, blue below"


@pytest.mark.parametrize("line", [0, 1], ids=["no width", "no height"])
def test_electrodes_on_a_line_or_a_point_are_drawn(spec, system, line):
    positions = system.electrode_positions_um.copy()
    positions[:, line] = 5.0
    flat = dataclasses.replace(
        system, electrode_positions_um=positions, positions_um=positions[:1].copy()
    )
    assert ElectrodeMap(spec, flat).frame(observed(spec)).shape == (SIDE, SIDE, 3)
    positions[:] = 5.0
    assert ElectrodeMap(spec, flat).frame(observed(spec)).shape == (SIDE, SIDE, 3)


def test_rendering_changes_no_bit_of_the_episode(env, address):
    plain = RemoteEnv(ENVIRONMENT, address)
    np.testing.assert_array_equal(env.reset(seed=3)[0], plain.reset(seed=3)[0])
    for step in range(5):
        env.render()
        action = np.full(env.action_space.shape, step / 5, np.float32)
        np.testing.assert_array_equal(env.step(action)[0], plain.step(action)[0])
    plain.close()


def test_what_the_caller_does_with_its_arrays_is_not_drawn(env):
    observation, _ = env.reset(seed=1)
    action = env.action_space.sample()
    observation = env.step(action)[0]
    frame = env.render()
    observation[:] = 50
    action[:] = 0
    np.testing.assert_array_equal(env.render(), frame)


def test_render_needs_an_episode(env):
    with pytest.raises(gymnasium.error.ResetNeeded):
        env.render()


def test_render_without_a_mode_warns_and_gives_nothing(address):
    for env in (RemoteEnv(ENVIRONMENT, address), RemoteVectorEnv(2, ENVIRONMENT, address)):
        env.reset(seed=1)
        with pytest.warns(UserWarning, match="render_mode"):
            assert env.render() is None
        env.close()


def test_a_vector_environment_gives_a_frame_of_each_copy(address, env):
    envs = RemoteVectorEnv(2, ENVIRONMENT, address, render_mode="rgb_array")
    assert envs.render_mode == "rgb_array" and envs.metadata["render_fps"] == 20
    with pytest.raises(gymnasium.error.ResetNeeded):
        envs.render()
    envs.reset(seed=[4, 5])
    env.reset(seed=5)
    actions = np.linspace(-1, 1, envs.action_space.shape[0] * envs.action_space.shape[1])
    actions = actions.reshape(envs.action_space.shape).astype(np.float32)
    for _ in range(3):
        envs.step(actions)
        env.step(actions[1])
    frames = envs.render()
    assert isinstance(frames, tuple) and len(frames) == 2
    np.testing.assert_array_equal(frames[1], env.render())
    assert (frames[0] != frames[1]).any()
    envs.close()


@pytest.mark.parametrize("limit", [None, 3])
@pytest.mark.parametrize("mode", ["NextStep", "SameStep"])
def test_a_copy_that_was_just_reset_shows_no_pulse(address, limit, mode):
    envs = RemoteVectorEnv(
        2,
        ENVIRONMENT,
        address,
        render_mode="rgb_array",
        autoreset_mode=mode,
        max_episode_steps=limit,
    )
    envs.reset(seed=1)
    pulses = np.ones(envs.action_space.shape, np.float32)
    truncated = np.zeros(2, bool)
    while not truncated.any():
        before = envs.render()[0]
        observations, _, _, truncated, _ = envs.step(pulses)
    if mode == "NextStep":
        observations = envs.step(pulses)[0]
    assert envs.render()[0].tolist() == frame_of(address, observations[0]).tolist()
    assert envs.render()[0].tolist() != before.tolist()
    envs.step(pulses)
    assert envs.render()[0].tolist() != frame_of(address, observations[0]).tolist()
    envs.close()


def frame_of(address, observation):
    with livnd.connect(address) as client:
        spec = client.environment(ENVIRONMENT)
        return ElectrodeMap(spec, client.system(spec.system)).frame(observation)


def test_what_names_no_electrodes_has_no_frames(spec):
    def unnamed(tensors):
        return tuple(dataclasses.replace(t, element_names=()) for t in tensors)

    assert can_draw(spec)
    bare = dataclasses.replace(
        spec, actions=unnamed(spec.actions), observations=unnamed(spec.observations)
    )
    assert not can_draw(bare)
    assert not can_draw(dataclasses.replace(spec, system=""))


def test_an_environment_without_electrodes_has_no_mode(start_server, tmp_path):
    address = start_server("127.0.0.1:0", "--bench-environments").address
    for make in (lambda **more: RemoteEnv("Null-v0", address, **more),
                 lambda **more: RemoteVectorEnv(2, "Null-v0", address, **more)):  # fmt: skip
        env = make()
        assert env.metadata["render_modes"] == [] and "render_fps" not in env.metadata
        env.reset(seed=1)
        env.close()
        with pytest.raises(ValueError, match="render_mode is 'rgb_array'; Null-v0 accepts: None"):
            make(render_mode="rgb_array")


def test_gymnasium_collects_frames(address):
    env = gymnasium.make(GYM_ID, address=address, render_mode="rgb_array_list")
    env.reset(seed=1)
    env.step(np.zeros(env.action_space.shape, np.float32))
    frames = env.render()
    assert [frame.shape for frame in frames] == [(SIDE, SIDE, 3)] * 2
    env.close()
