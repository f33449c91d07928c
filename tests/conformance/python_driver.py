"""The Python client, in this process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import livnd
import numpy as np
from livnd._proto import pb

from conformance import drivers
from conformance.drivers import Answer, Refused


def _told(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except livnd.LivndError as error:
        raise _refused(error) from error


def _refused(error: livnd.LivndError) -> Refused:
    return Refused(
        code=error.code,
        reason=error.reason,
        message=str(error),
        metadata=error.metadata,
        in_doubt=error.in_doubt,
        session_gone=isinstance(error, livnd.errors.UnknownSessionError),
    )


def _answer(result: Any) -> Answer:
    """A result's fields; those that hold several arrays give several."""
    answer: Answer = {}
    for name, value in vars(result).items():
        if name in ("infos", "final_infos"):
            answer |= {f"{name}.{key}": array for key, array in value.items()}
        elif name in ("observations", "final_observations"):
            for array in value:
                answer[name] = array
        elif name == "series":
            answer |= {f"series[{i}]": array for i, array in enumerate(value)}
        elif name == "charges":
            if value is not None:
                answer |= {f"charges.{key}": array for key, array in vars(value).items()}
        elif name == "decoded":
            for i, each in enumerate(value):
                answer |= {f"decoded[{i}].{key}": array for key, array in each.items()}
        elif name != "next_op_index":
            answer[name] = np.asarray(value)
    return answer


class _Numbered:
    """What sessions of both kinds share."""

    def __init__(self, session: livnd.Session) -> None:
        self._session: Any = session
        self.name, self.num_envs, self.spec = session.name, session.num_envs, session.spec

    @property
    def next_op_index(self) -> int:
        return self._session.next_op_index

    def snapshot(self, copies=()):
        return _told(lambda: self._session.snapshot(copies or None))

    def restore(self, snapshot, copy_of=()):
        _told(lambda: self._session.restore(snapshot, copy_of or None))

    def fork(self, num_sessions, copy_of=()):
        made = _told(lambda: self._session.fork(num_sessions, copy_of or None))
        return [type(self)(session) for session in made]

    def start_recording(self, label="", kinds=(), series=()):
        return _told(lambda: self._session.start_recording(label, list(kinds) or None, series))

    def stop_recording(self):
        return _told(self._session.stop_recording)

    def detach(self) -> str:
        return _told(self._session.detach)

    def close(self) -> None:
        _told(self._session.close)


class PythonSession(_Numbered, drivers.Session):
    """A livnd.Session."""

    def reset(self, seeds=(), mask=(), options=None):
        return _answer(
            _told(lambda: self._session.reset(seeds or None, mask=mask or None, options=options))
        )

    def step(self, actions):
        return _answer(_told(lambda: self._session.step(actions)))

    def observe(self):
        return _answer(_told(self._session.observe))

    def render(self, copies=()):
        return _answer(_told(lambda: self._session.render(copies or None)))

    def pace_report(self):
        report = _told(self._session.pace_report)
        if report is None:
            return None
        return pb.PaceReport(**{f.name: getattr(report, f.name) for f in fields(report)})

    def forget(self):
        self._session = None


class PythonStream(drivers.Stream):
    """A livnd.StepStream."""

    def __init__(self, stream: livnd.StepStream) -> None:
        self._stream = stream
        self._sessions: dict[livnd.Session, PythonSession] = {}

    def send(self, session, actions):
        self._sessions[session._session] = session
        _told(lambda: self._stream.send(session._session, actions))

    def recv(self):
        try:
            session, result = self._stream.recv()
        except livnd.LivndError as error:
            if error.session is None:
                raise _refused(error) from error
            return self._sessions[error.session], _refused(error)
        return self._sessions[session], _answer(result)

    def close(self):
        self._stream.close()


class PythonCulture(_Numbered, drivers.Culture):
    """A livnd.CultureSession."""

    def clear(self, seeds=(), **how):
        return {"seeds": _told(lambda: self._session.clear(seeds or None, **how))}

    def run(self, duration_ms, stimuli=(), **how):
        return _answer(_told(lambda: self._session.run(duration_ms, stimuli, **how)))

    def configure(self, **change):
        _told(lambda: self._session.configure(**change))

    def describe(self, *, learned_weights=False):
        info = _told(lambda: self._session.describe(learned_weights=learned_weights))
        answer = {
            name: np.asarray(getattr(info, name))
            for name in (
                *("gids", "dt_ms", "v_init_mv", "ticks", "tick_ns", "num_clears"),
                *("failed_at_ms", "seeds", "noise_stream", "plasticity_on", "accepted_params"),
            )
        }
        answer |= {f"params.{key}": np.asarray(value) for key, value in info.params.items()}
        if learned_weights:
            answer["learned_weights"] = info.learned.weights
        if info.device is not None:
            answer["electrodes"] = info.device.ids
            for name, limit in info.device.limits.items():
                answer[f"limits.{name}"] = np.asarray(limit)
        if info.light_array is not None:
            answer["fibers"] = info.light_array.ids
        if info.encoding:
            answer["encoding"] = np.asarray(info.encoding)
            answer["encoding_inputs"] = np.asarray([i.name for i in info.encoding_inputs])
        return answer


class PythonClient(drivers.Client):
    """A livnd.Client."""

    def __init__(self, client: livnd.Client) -> None:
        self._client = client

    def info(self):
        return _told(self._client.server_info)

    def systems(self):
        return _told(self._client.systems)

    def system(self, name):
        return _told(lambda: self._client.system(name))

    def codings(self):
        return _told(self._client.decodings), _told(self._client.encodings)

    def environments(self):
        return _told(self._client.environments)

    def not_offered(self):
        return _told(self._client.not_offered)

    def environment(self, environment_id):
        return _told(lambda: self._client.environment(environment_id))

    def session(
        self,
        environment_id,
        num_envs=1,
        autoreset_mode="next_step",
        max_episode_steps=None,
        snapshot=b"",
        copy_of=(),
        pace=None,
    ):
        return PythonSession(
            _told(
                lambda: self._client.create_session(
                    environment_id,
                    num_envs,
                    autoreset_mode=autoreset_mode,
                    max_episode_steps=max_episode_steps,
                    snapshot=snapshot or None,
                    copy_of=copy_of or None,
                    pace=pace,
                )
            )
        )

    def stream(self):
        return PythonStream(self._client.step_stream())

    def session_info(self, name):
        info = _told(lambda: self._client.session_info(name))
        names = ("num_envs", "next_op_index", "generation", "pace")
        return {name: getattr(info, name) for name in names}

    def attach(self, name):
        return PythonSession(_told(lambda: self._client.attach_session(name)))

    def recordings(self, session=""):
        return _told(lambda: self._client.recordings(session or None))

    def read_rows(self, recording, stream, first_row=0, **which):
        pieces = _told(
            lambda: list(self._client.iterate_recording(recording, stream, first_row, **which))
        )
        return np.concatenate([piece.rows for piece in pieces])

    def download_recording(self, recording, path):
        _told(lambda: self._client.download_recording(recording, path))

    def delete_recording(self, recording, missing_ok=False):
        _told(lambda: self._client.delete_recording(recording, missing_ok=missing_ok))

    def culture(self, system, num_envs=1):
        return PythonCulture(_told(lambda: self._client.create_culture(system, num_envs)))

    def close(self):
        self._client.close()


_VICTIM = """
import os, signal, sys, livnd
session = livnd.connect(sys.argv[1]).create_session(sys.argv[2])
session.reset()
print(session.name, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


class PythonDriver(drivers.Driver):
    """The package livnd."""

    language = "python"

    def connect(self, address, **options):
        return PythonClient(_told(lambda: livnd.connect(address, **options)))

    def make_and_die(self, address, environment_id):
        path = {**os.environ, "PYTHONPATH": str(Path(livnd.__file__).parents[1])}
        command = [sys.executable, "-c", _VICTIM, address, environment_id]
        return subprocess.run(command, env=path, capture_output=True, text=True).stdout.strip()
