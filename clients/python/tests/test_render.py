"""Frames of render_mode="rgb_array": what they show, and that they change nothing."""

from __future__ import annotations

import copy
import dataclasses
import itertools

import gymnasium
import numpy as np
import pytest
from conftest import ENVIRONMENT, GYM_ID
from livnd.gym.env import RemoteEnv
from livnd.gym.render import MODES
from livnd.gym.vector import RemoteVectorEnv
from livnd.gym.views.activity import Cells
from livnd.gym.views.electrodes import SIDE, ElectrodeMap
from livnd.gym.views.scene import HEIGHT, WIDTH
from livnd.results import CopyActivity
from livnd.session import Session

NONE = np.zeros(0, np.int64)


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
def cells(system):
    return Cells(system)


@pytest.fixture
def electrode_map(system, cells):
    return ElectrodeMap(system, cells)


@pytest.fixture
def looks(monkeypatch):
    """Counts how often the server is asked for what there is to draw."""
    counted = []
    look = Session.render

    def counting(self, copies=None):
        counted.append(copies)
        return look(self, copies)

    monkeypatch.setattr(Session, "render", counting)
    return counted


def fired(gids):
    gids = np.asarray(gids, np.int64)
    return CopyActivity(True, gids, np.zeros(len(gids), np.int64), NONE, NONE, np.zeros(0))


def played(electrodes, ua):
    places = np.asarray(electrodes, np.int64)
    return CopyActivity(True, NONE, NONE, places, np.zeros(len(places), np.int64), np.array(ua))


def changed(frame, other):
    """(row, column) of the middle of the pixels in which two frames differ, and their number."""
    rows, columns = np.nonzero((frame != other).any(axis=2))
    return (rows.mean(), columns.mean()) if len(rows) else None, len(rows)


def zeros(env):
    return np.zeros(env.action_space.shape, np.float32)


def raster_of(frame):
    """The lower right of a frame, and which of its columns were not seen."""
    raster = frame[190:312, SIDE + 8 : WIDTH - 8]
    return raster, (raster == (226, 230, 234)).all(axis=(0, 2))


def test_a_frame_is_an_image(env):
    env.reset(seed=1)
    frames = [env.render()]
    env.step(env.action_space.sample())
    frames.append(env.render())
    for frame in frames:
        assert frame.dtype == np.uint8 and frame.shape == (HEIGHT, WIDTH, 3)
        assert frame.flags.owndata and frame.flags.writeable
    assert (frames[0] != frames[1]).any()
    again = frames[1].copy()
    frames[1][:] = 0
    np.testing.assert_array_equal(env.render(), again, "a frame is the caller's own")


def test_the_modes_are_told(env):
    assert env.render_mode == "rgb_array"
    assert RemoteEnv.metadata["render_modes"] == list(MODES)
    assert env.metadata["render_modes"][:3] == ["rgb_array", "rgb_array_list", "ansi"]
    assert env.metadata["render_fps"] == 1000 / env.environment_spec.step_duration_ms


def test_the_server_tells_what_the_observation_sums_up(client, spec, system, cells):
    """Spikes by cell and pulses by electrode are those that the agent hears and plays."""
    session = client.create_session(ENVIRONMENT, 2)
    session.reset([1, 2])
    assert not session.render().simulated.any() and not len(session.render().spike_gids)
    (action,), (observation,) = spec.actions, spec.observations
    rng = np.random.default_rng(1)
    num_spikes = 0
    for _ in range(8):
        actions = rng.uniform(-1, 1, (2, *action.shape)).astype(np.float32)
        actions[:, 0] = 0
        result = session.step(actions)
        seen = session.render()
        assert seen.simulated.all()
        for index in range(2):
            activity = seen.copy(index)
            heard = cells.heard(cells.counts(activity.spike_gids))
            for place, electrode in enumerate(system.electrode_ids):
                element = observation.index(f"spikes_e{electrode}_t-0")
                assert result.observations[0][index, element] == heard[place]
            assert len(activity.spike_gids) == result.infos["num_spikes"][index]
            assert (np.diff(activity.spike_ticks) >= 0).all()
            assert activity.pulse_electrodes.tolist() == list(range(1, action.shape[0]))
            np.testing.assert_allclose(
                -activity.pulse_ua, actions[index, 1:] * spec.settings["max_amplitude_ua"], 1e-6
            )  # positive is cathodic first
            assert not activity.pulse_ticks.any(), "pulses are at the start of each step"
            num_spikes += len(activity.spike_gids)
    assert num_spikes > 20


def test_every_electrode_plays_in_its_place(electrode_map, system):
    still = electrode_map.frame(CopyActivity.of_nothing(), 1.0)
    spots = []
    for place in range(len(system.electrode_ids)):
        spot, number = changed(electrode_map.frame(played([place], [1.0]), 1.0), still)
        assert 0 < number < SIDE * SIDE / 10
        spots.append(spot)
    at = np.array(spots)
    x, y, _ = system.electrode_positions_um.T
    # Columns go with x, rows against y, and both by the same scale.
    scale = np.ptp(at[:, 1]) / np.ptp(x)
    np.testing.assert_allclose(at[:, 1] - at[0, 1], scale * (x - x[0]), atol=1.0)
    np.testing.assert_allclose(at[:, 0] - at[0, 0], -scale * (y - y[0]), atol=1.0)


def test_more_spikes_are_darker_and_lie_around_their_cell(electrode_map, cells):
    still = electrode_map.frame(CopyActivity.of_nothing(), 1.0)
    gid = int(cells.hearers[2][0])
    sums = [
        electrode_map.frame(fired([gid] * count), 1.0).sum(dtype=np.int64)
        for count in (0, 1, 4, 40)
    ]
    assert sums == sorted(sums, reverse=True) and len(set(sums)) == 4
    place, _ = changed(electrode_map.frame(fired([gid]), 1.0), still)
    assert place is not None


def test_inhibitory_cells_have_a_colour_of_their_own(system, cells):
    far = dataclasses.replace(system, output_radius_um=0.0)  # so that electrodes hear nothing
    electrode_map = ElectrodeMap(far, Cells(far))
    still = electrode_map.frame(CopyActivity.of_nothing(), 1.0)
    shown = {}
    for gid in range(cells.num):
        frame = electrode_map.frame(fired([gid]), 1.0)
        pixels = frame[(frame != still).any(axis=2)]
        if len(pixels):
            shown.setdefault(bool(cells.is_inhibitory[gid]), set()).update(map(tuple, pixels))
    assert shown == {False: {(7, 50, 59)}, True: {(150, 60, 160)}}


def test_a_pulse_colours_its_electrode_by_sign_and_strength(electrode_map):
    still = electrode_map.frame(CopyActivity.of_nothing(), 2.0)
    balance = []
    for amplitude in (-2.0, -0.6, 0.6, 2.0):
        difference = electrode_map.frame(played([1], [amplitude]), 2.0).astype(int) - still
        balance.append(difference[..., 0].sum() - difference[..., 2].sum())
    assert balance == sorted(balance) and balance[1] < 0 < balance[2], "red above 0, blue below"
    several = electrode_map.frame(played([1, 1, 1], [0.6, -2.0, 0.1]), 2.0)
    np.testing.assert_array_equal(several, electrode_map.frame(played([1], [-2.0]), 2.0))


@pytest.mark.parametrize("line", [0, 1], ids=["no width", "no height"])
def test_electrodes_on_a_line_or_a_point_are_drawn(system, line):
    positions = system.electrode_positions_um.copy()
    positions[:, line] = 5.0
    cells = system.positions_um.copy()
    cells[:] = positions[0]
    flat = dataclasses.replace(system, electrode_positions_um=positions, positions_um=cells)
    for _ in range(2):
        frame = ElectrodeMap(flat, Cells(flat)).frame(fired([0]), 1.0)
        assert frame.shape == (SIDE, SIDE, 3)
        positions[:] = 5.0
        cells[:] = 5.0


def test_rendering_changes_no_bit_of_the_episode(env, address):
    plain = RemoteEnv(ENVIRONMENT, address)
    np.testing.assert_array_equal(env.reset(seed=3)[0], plain.reset(seed=3)[0])
    for step in range(5):
        env.render()
        action = np.full(env.action_space.shape, step / 5, np.float32)
        np.testing.assert_array_equal(env.step(action)[0], plain.step(action)[0])
    plain.close()


def test_the_server_is_asked_once_a_drawn_step_and_never_without_drawing(env, looks, address):
    env.reset(seed=1)
    for _ in range(4):
        env.step(zeros(env))
    assert not looks, "a render mode alone asks for nothing"
    env.render()
    env.render()
    assert len(looks) == 1
    env.reset()
    env.render()
    assert len(looks) == 1, "after a reset there is nothing to ask for"
    envs = RemoteVectorEnv(4, ENVIRONMENT, address, render_mode="rgb_array")
    envs.reset(seed=1)
    envs.step(zeros(envs))
    envs.render()
    assert len(looks) == 2, "of all copies at once"
    envs.close()


def test_what_the_caller_does_with_its_arrays_is_not_drawn(address):
    envs = RemoteVectorEnv(2, ENVIRONMENT, address, render_mode="rgb_array")
    other = RemoteVectorEnv(2, ENVIRONMENT, address, render_mode="rgb_array")
    for each in (envs, other):
        each.reset(seed=1)
    actions = np.full(envs.action_space.shape, 0.5, np.float32)
    observations, rewards, *_, infos = envs.step(actions)
    other.step(actions.copy())
    for array in (observations, rewards, actions, infos["rate_hz"]):
        array[:] = 50
    np.testing.assert_array_equal(envs.render(), other.render())
    envs.close()
    other.close()


def test_steps_that_nobody_looked_at_are_grey_in_the_raster(env):
    env.reset(seed=1)
    for _ in range(4):
        env.step(zeros(env))
    _, unseen = raster_of(env.render())
    step_width = (~unseen).sum()
    assert 0 < step_width < 20 and not unseen[-step_width:].any()
    for _ in range(3):
        env.step(zeros(env))
    _, later = raster_of(env.render())
    assert (~later).sum() == 2 * step_width
    assert later[-3 * step_width : -step_width].all(), "two steps were missed"


def test_the_raster_moves_on_by_a_step(env):
    env.reset(seed=1)
    frames = []
    for _ in range(6):
        env.step(zeros(env))
        frames.append(raster_of(env.render())[0])
    width = (~raster_of(env.render())[1]).sum() // 6
    for before, after in itertools.pairwise(frames):
        np.testing.assert_array_equal(before[:, width:], after[:, :-width])
    assert (frames[-1] == (7, 50, 59)).all(axis=2).sum() > 5, "there are spikes in it"


def test_render_needs_an_episode(env):
    with pytest.raises(gymnasium.error.ResetNeeded):
        env.render()


def test_render_without_a_mode_warns_and_gives_nothing(address, looks):
    for env in (RemoteEnv(ENVIRONMENT, address), RemoteVectorEnv(2, ENVIRONMENT, address)):
        env.reset(seed=1)
        env.step(zeros(env))
        with pytest.warns(UserWarning, match="render_mode"):
            assert env.render() is None
        env.close()
    assert not looks


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


def maps_of(frames):
    return [frame[:, :SIDE] for frame in frames]


@pytest.mark.parametrize("mode", ["NextStep", "SameStep"])
def test_a_copy_that_was_just_reset_shows_neither_spikes_nor_pulses(address, mode):
    options = {"render_mode": "rgb_array", "autoreset_mode": mode, "max_episode_steps": 3}
    envs = RemoteVectorEnv(2, ENVIRONMENT, address, **options)
    envs.reset(seed=1)
    empty = maps_of(envs.render())
    pulses = np.ones(envs.action_space.shape, np.float32)
    for _ in range(3):
        *_, truncated, _ = envs.step(pulses)
        if truncated.any() and mode == "SameStep":
            break
        assert all((a != b).any() for a, b in zip(maps_of(envs.render()), empty, strict=True))
    assert truncated.all()
    if mode == "NextStep":
        envs.step(pulses)
    np.testing.assert_array_equal(maps_of(envs.render()), empty)
    raster, _ = raster_of(envs.render()[0])
    assert (raster[:, -1] == (150, 160, 168)).all(), "the episode's start is a line"
    assert (raster[:7, :-1] == (30, 80, 220)).all(axis=2).any(), "the last step is before it"
    envs.close()


def test_a_copy_that_is_reset_alone_leaves_the_others(address):
    envs = RemoteVectorEnv(2, ENVIRONMENT, address, render_mode="rgb_array")
    other = RemoteVectorEnv(2, ENVIRONMENT, address, render_mode="rgb_array")
    for each in (envs, other):
        each.reset(seed=1)
        each.step(np.ones(each.action_space.shape, np.float32))
    envs.reset(options={"reset_mask": np.array([True, False])})
    frames, before = envs.render(), other.render()
    np.testing.assert_array_equal(frames[1], before[1])
    assert (frames[0] != before[0]).any()
    envs.close()
    other.close()


def test_a_copy_of_an_environment_shows_what_it_showed(env):
    env.reset(seed=1)
    for _ in range(3):
        env.step(np.ones(env.action_space.shape, np.float32))
        frame = env.render()
    twin = copy.deepcopy(env)
    np.testing.assert_array_equal(twin.render(), frame)
    for each in (env, twin):
        each.step(zeros(each))
    np.testing.assert_array_equal(twin.render(), env.render())
    twin.close()


def test_what_was_restored_shows_no_step_until_there_is_one(env):
    env.reset(seed=1)
    start = env.render()
    snapshot = env.snapshot()
    env.step(np.ones(env.action_space.shape, np.float32))
    assert (env.render()[:, :SIDE] != start[:, :SIDE]).any()
    env.restore(snapshot)
    np.testing.assert_array_equal(env.render()[:, :SIDE], start[:, :SIDE])
    session = env._session.session
    assert not session.render().simulated.any()
    env.step(np.ones(env.action_space.shape, np.float32))
    assert (env.render()[:, :SIDE] != start[:, :SIDE]).any()


def test_an_environment_without_a_culture_has_no_mode(start_server, tmp_path):
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
    env.step(zeros(env))
    frames = env.render()
    assert [frame.shape for frame in frames] == [(HEIGHT, WIDTH, 3)] * 2
    env.close()
