"""The package is typed: mypy takes it strictly, and a program that uses it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PACKAGE = Path(__file__).parents[1]

# What a user writes, with the type that each expression has for a checker.
PROGRAM = """
from typing import Any, assert_type

import gymnasium
import livnd
import numpy as np
from livnd.adapters import asynchronous
from livnd.fleet.vector import FleetVectorEnv
from livnd.gym.env import RemoteEnv
from livnd.gym.vector import RemoteVectorEnv
from livnd.livn.copies import Copies
from livnd.livn.gym import LivnGym, Pass, PulseEncoding
from livnd.tasks import CultureInLoop, CultureInLoopVectorEnv
from livnd.results import CopyActivity, RenderResult, ResetResult, StepResult

with livnd.connect("unix:/run/livnd.sock", token="t") as client:
    assert_type(client, livnd.Client)
    assert_type(client.server_info(), livnd.ServerInfo)
    assert_type(client.systems(), list[str])
    assert_type(client.system("EI-mini").electrode_positions_um, "np.ndarray")
    spec = client.environment("TargetRate-EI-mini-v0")
    assert_type(client.not_offered(), list[livnd.EnvironmentNotOffered])
    assert_type(spec.actions, tuple[livnd.TensorSpec, ...])
    session = client.create_session("TargetRate-EI-mini-v0", 4, pace="real")
    assert_type(session, livnd.Session)
    assert_type(session.reset([1, None, 2, 3]), ResetResult)
    assert_type(session.step(np.zeros((4, 8))), StepResult)
    assert_type(session.render(), RenderResult)
    assert_type(session.render([0]).copy(0), CopyActivity)
    assert_type(session.snapshot(), bytes)
    assert_type(session.fork(2), list[livnd.Session])
    assert_type(client.create_culture("EI-mini"), livnd.CultureSession)

env = RemoteEnv("TargetRate-EI-mini-v0", render_mode="rgb_array")
observation, info = env.reset(seed=1)
assert_type(info, dict[str, Any])
assert_type(env.fork(2), list[RemoteEnv])
assert_type(env.environment_spec, livnd.EnvironmentSpec)
assert_type(env.pace_report(), livnd.PaceReport | None)
envs = RemoteVectorEnv(4, "TargetRate-EI-mini-v0", autoreset_mode="SameStep")
seen, rewards, terminated, truncated, infos = envs.step(envs.action_space.sample())
assert_type(envs.fork(), list[RemoteVectorEnv])
fleet = FleetVectorEnv(4, "TargetRate-EI-mini-v0", ["a:1", "b:1"])
assert_type(fleet.fork(), list[FleetVectorEnv])
assert_type(fleet.copies_of, dict[str, range])
assert_type(fleet.start_recordings(), list[str])
with asynchronous.make("TargetRate-EI-mini-v0", 4) as apart:
    assert_type(apart.num_envs, int)
culture = livnd.make("EI-mini")
assert_type(culture, livnd.Env)
assert_type(culture.run(100), livnd.Run)
assert_type(culture.clear(seed=3), livnd.Env)
loop = CultureInLoop("Pendulum-v1", culture, lambda action: None, lambda run: run.spike_times)
assert_type(loop.culture, livnd.Env)
assert_type(loop.step([0.0])[1], float)
loops = CultureInLoopVectorEnv(["Pendulum-v1"] * 2, "EI-mini", print, print, address="unix:/run/x")
assert_type(loops.cultures, Copies)
CultureInLoop("Pendulum-v1", culture, {"name": "rate"}, "first_spike_action")
assert_type(culture.use_codings(decodings=["firing_rates"]), livnd.Env)
gym = LivnGym(gymnasium.make("Pendulum-v1"), culture, PulseEncoding(culture, 500), print)
assert_type(gym.envpass, Pass)
try:
    culture.run(-1)
except livnd.errors.InvalidFieldError as error:
    assert_type(error.field, str)
except livnd.LivndError as error:
    assert_type(error.in_doubt, bool)

client.systems(1)  # expect: call-arg
session.step()[0]  # expect: index
CultureInLoop("Pendulum-v1", culture, 3, print)  # expect: arg-type
livnd.register(7)  # expect: arg-type
"""


def mypy(*arguments: object, folder: Path) -> list[str]:
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "mypy",
            "--no-error-summary",
            "--no-color-output",
            *map(str, arguments),
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    return done.stdout.splitlines()


def test_the_package_is_typed_strictly():
    assert not mypy("--config-file", "pyproject.toml", "livnd", folder=PACKAGE)
    assert (PACKAGE / "livnd/py.typed").exists()


def test_a_users_program_is_checked(tmp_path, monkeypatch):
    monkeypatch.setenv("MYPYPATH", str(PACKAGE))
    (tmp_path / "program.py").write_text(PROGRAM)
    told = mypy(
        "--config-file", PACKAGE / "pyproject.toml", "--strict", "program.py", folder=tmp_path
    )
    lines = PROGRAM.splitlines()
    expected = {
        number: line.partition("# expect: ")[2]
        for number, line in enumerate(lines, 1)
        if "# expect: " in line
    }
    found = {}
    for line in told:
        file, number, kind, *_text = line.split(":")
        # What the program's strictness says of the package is not the program's.
        if file == "program.py" and kind.strip() == "error":
            found[int(number)] = line.rpartition("[")[2].rstrip("]")
    assert found == expected, told
