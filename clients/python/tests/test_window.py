"""render_mode="human": its window, or why there is none; and the other modes of render()."""

from __future__ import annotations

import copy
import pickle
import sys
import types

import gymnasium
import numpy as np
import pytest
from conftest import ENVIRONMENT, GYM_ID
from livnd import errors
from livnd.gym import window
from livnd.gym.env import RemoteEnv
from livnd.gym.render import MODES, tiled
from livnd.gym.vector import RemoteVectorEnv


class Desktop:
    """Stands in for pygame: what its windows were told."""

    QUIT = 256

    def __init__(self):
        self.title, self.size, self.frames, self.events, self.closed = "", None, [], [], 0
        self.display = types.SimpleNamespace(
            init=lambda: None,
            set_caption=lambda title: setattr(self, "title", title),
            set_mode=self._open,
            flip=lambda: None,
            quit=lambda: setattr(self, "closed", self.closed + 1),
        )
        self.event = types.SimpleNamespace(get=lambda: self.events)
        self.surfarray = types.SimpleNamespace(
            blit_array=lambda surface, pixels: self.frames.append(pixels.copy())
        )

    def _open(self, size):
        self.size = size
        return object()


@pytest.fixture
def desktop(monkeypatch):
    desktop = Desktop()
    module = types.ModuleType("pygame")
    for name in ("QUIT", "display", "event", "surfarray"):
        setattr(module, name, getattr(desktop, name))
    monkeypatch.setitem(sys.modules, "pygame", module)
    monkeypatch.setenv("DISPLAY", ":99")
    return desktop


@pytest.fixture
def no_display(monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER"):
        monkeypatch.delenv(name, raising=False)


def zeros(env):
    return np.zeros(env.action_space.shape, np.float32)


def test_a_window_shows_every_reset_and_step(address, desktop):
    env = RemoteEnv(ENVIRONMENT, address, render_mode="human")
    watcher = RemoteEnv(ENVIRONMENT, address, render_mode="rgb_array")
    assert "human" in env.metadata["render_modes"]
    seen = []
    env.reset(seed=3)
    watcher.reset(seed=3)
    seen.append(watcher.render())
    for _ in range(3):
        env.step(zeros(env))
        watcher.step(zeros(env))
        seen.append(watcher.render())
    assert env.render() is None
    height, width = seen[0].shape[:2]
    assert desktop.size == (width, height) and desktop.title == ENVIRONMENT
    np.testing.assert_array_equal(desktop.frames, np.swapaxes(seen, 1, 2))
    env.close()
    assert desktop.closed == 1
    watcher.close()


def test_a_window_that_the_user_closes_stays_closed(address, desktop):
    env = gymnasium.make(GYM_ID, address=address, render_mode="human")
    env.reset(seed=3)
    desktop.events = [types.SimpleNamespace(type=desktop.QUIT)]
    env.step(zeros(env))
    assert desktop.closed == 1
    shown = len(desktop.frames)
    env.step(zeros(env))
    env.reset()
    assert len(desktop.frames) == shown
    env.close()


def test_one_window_shows_all_copies(address, desktop):
    envs = gymnasium.make_vec(GYM_ID, num_envs=3, address=address, render_mode="human")
    frames = gymnasium.make_vec(GYM_ID, num_envs=3, address=address, render_mode="rgb_array")
    for each in (envs, frames):
        each.reset(seed=3)
        each.step(zeros(each))
    np.testing.assert_array_equal(desktop.frames[-1].swapaxes(0, 1), tiled(list(frames.render())))
    assert envs.render() is None
    envs.close()
    frames.close()


def test_frames_come_no_faster_than_they_are_due(desktop, monkeypatch):
    now = [100.0]
    slept = []

    def sleep(seconds):
        slept.append(seconds)
        now[0] += seconds

    monkeypatch.setattr(window.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(window.time, "sleep", sleep)
    shown = window.Window("a window", fps=20)
    frame = np.zeros((4, 6, 3), np.uint8)
    shown.show(frame)
    now[0] += 0.02
    shown.show(frame)
    now[0] += 0.5
    shown.show(frame)
    np.testing.assert_allclose(slept, [0.03])


def test_tkinter_shows_what_pygame_would(monkeypatch, no_display):
    images, closed = [], []

    class Widget:
        def __init__(self, *args, **kwargs):
            pass

        def __getattr__(self, name):
            return lambda *args, **kwargs: None

        def configure(self, data, format):
            images.append((data, format))

        def destroy(self):
            closed.append(True)

    module = types.ModuleType("tkinter")
    module.Tk = module.PhotoImage = module.Label = Widget
    module.TclError = RuntimeError
    monkeypatch.setitem(sys.modules, "tkinter", module)
    monkeypatch.setattr(window, "_has", lambda name: name == "tkinter")
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    shown = window.Window("a window", fps=1000)
    frame = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    shown.show(frame)
    assert images == [(b"P6 4 2 255\n" + frame.tobytes(), "PPM")]
    shown.close()
    shown.close()
    assert closed == [True]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere there is a display")
def test_without_a_display_the_error_says_so(address, no_display):
    make = (
        lambda: RemoteEnv(ENVIRONMENT, address, render_mode="human"),
        lambda: RemoteVectorEnv(2, ENVIRONMENT, address, render_mode="human"),
        lambda: gymnasium.make(GYM_ID, address=address, render_mode="human"),
    )
    for each in make:
        with pytest.raises(errors.NoDisplayError, match="DISPLAY") as caught:
            each()
        assert caught.value.field == "render_mode" and "rgb_array" in caught.value.accepted
    env = RemoteEnv(ENVIRONMENT, address)
    assert env.metadata["render_modes"] == list(MODES[:-1])
    env.close()


def test_without_a_package_for_windows_the_error_says_which(address, monkeypatch):
    monkeypatch.setenv("DISPLAY", ":99")
    monkeypatch.setattr(window, "_has", lambda name: False)
    with pytest.raises(errors.NoDisplayError, match=r"pip install 'livnd\[human\]'"):
        RemoteEnv(ENVIRONMENT, address, render_mode="human")


def test_a_display_that_cannot_be_opened_is_told(address, desktop):
    desktop.display.set_mode = lambda size: 1 / 0
    env = RemoteEnv(ENVIRONMENT, address, render_mode="human")
    with pytest.raises(errors.NoDisplayError, match="division by zero"):
        env.reset(seed=1)
    env.close()


def test_a_copy_of_an_environment_with_a_window_opens_its_own(address, desktop):
    env = RemoteEnv(ENVIRONMENT, address, render_mode="human")
    env.reset(seed=1)
    for other in (copy.deepcopy(env), pickle.loads(pickle.dumps(env))):
        before = len(desktop.frames)
        other.step(zeros(env))
        assert len(desktop.frames) == before + 1
        other.close()
    assert desktop.closed == 2
    env.close()


def test_a_list_has_the_frames_since_the_last_call(address):
    env = RemoteEnv(ENVIRONMENT, address, render_mode="rgb_array_list")
    watcher = RemoteEnv(ENVIRONMENT, address, render_mode="rgb_array")
    env.reset(seed=2)
    watcher.reset(seed=2)
    want = [watcher.render()]
    for _ in range(2):
        env.step(zeros(env))
        watcher.step(zeros(env))
        want.append(watcher.render())
    got = env.render()
    np.testing.assert_array_equal(got, want)
    assert isinstance(got, list) and env.render() == []
    env.step(zeros(env))
    env.reset()
    assert len(env.render()) == 1, "a reset begins anew"
    env.close()
    watcher.close()


def test_a_vector_environment_has_a_list_of_each_copy(address):
    envs = RemoteVectorEnv(
        2, ENVIRONMENT, address, render_mode="rgb_array_list", max_episode_steps=3
    )
    envs.reset(seed=1)
    for _ in range(5):
        envs.step(zeros(envs))
    envs.reset(options={"reset_mask": np.array([True, False])})
    lists = envs.render()
    assert [len(frames) for frames in lists] == [1, 6]
    assert envs.render() == ([], [])
    envs.close()


def test_a_text_shows_electrodes_and_numbers(address):
    env = gymnasium.make(GYM_ID, address=address, render_mode="ansi")
    env.reset(seed=1)
    first = env.render()
    assert isinstance(first, str) and ENVIRONMENT in first
    assert "target_rate_hz" in first and "reward" not in first
    action = np.ones(env.action_space.shape, np.float32)
    _, reward, *_, info = env.step(action)
    text = env.render()
    assert f"reward {reward:.3f}" in text
    assert f"rate_hz {info['rate_hz']:.4g}" in text
    electrodes = env.action_space.shape[0]
    assert text.count("+") == first.count("+") == 0
    assert text.count("- ") + text.count("-\n") >= electrodes, "positive is cathodic first"
    env.step(-action)
    assert env.render().count("+") == electrodes
    env.close()


def test_gymnasium_checks_every_mode(address, no_display):
    from gymnasium.utils.env_checker import check_env

    env = gymnasium.make(GYM_ID, address=address)
    check_env(env.unwrapped)
    env.close()
