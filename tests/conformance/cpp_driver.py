"""The C++ client, in a process of its own (driver.cc) that takes commands in JSON."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import grpc
import numpy as np
from livnd import Coding
from livnd._proto import pb
from livnd.codings import decoding_selection, encoding_selection
from livnd.device import DeviceInfo, LightArrayInfo
from livnd.device import device as device_message
from livnd.device import light_array as fibers
from livnd.pulse_plan import pulse_plan
from livnd.recording import KINDS, RecordingInfo, dtype_of_rows
from livnd.specs import EnvironmentNotOffered, EnvironmentSpec, ServerInfo, System
from livnd.tensors import decode, encode

from conformance import drivers
from conformance.drivers import Answer, Refused

PROGRAM = Path(__file__).resolve().parents[2] / "bazel-bin/tests/conformance/driver"
_MODES = {
    "next_step": pb.AUTORESET_MODE_NEXT_STEP,
    "same_step": pb.AUTORESET_MODE_SAME_STEP,
    "disabled": pb.AUTORESET_MODE_DISABLED,
}
_CODES = {code.value[0]: code.name for code in grpc.StatusCode}
# Types and shapes of the numbers in the answers that are no messages; the rest is one a copy.
_DTYPES = {
    "rewards": np.float64,
    "terminated": np.bool_,
    "truncated": np.bool_,
    "began": np.bool_,
    "seeds": np.uint64,
    "episode_seeds": np.uint64,
    "episodes": np.int64,
    "ticks": np.int64,
}


def _array(text: str, dtype: Any, *shape: int) -> np.ndarray:
    return np.frombuffer(bytes.fromhex(text), dtype).reshape(shape).copy()


def _option(name: str, value: float) -> dict[str, Any]:
    """The name as a text and how often it comes, since JSON is slow to read where that is long."""
    unit = name[:1] if name == name[:1] * len(name) else name
    times = len(name) // max(1, len(unit))
    return {"unit": unit, "times": times, "value": np.float64(value).tobytes().hex()}


class Program:
    """The running driver; one command at a time."""

    def __init__(self) -> None:
        assert PROGRAM.exists(), "build it: bazel build //tests/conformance:driver"
        self._process = subprocess.Popen(
            [PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def tell(self, do: str, **command: Any) -> dict[str, Any]:
        """What came of a command; Refused if its answer is an error."""
        self._process.stdin.write(json.dumps({"do": do, **command}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, f"the driver ended ({self._process.wait()}) at {do} {command}"
        return json.loads(line)

    def ask(self, do: str, **command: Any) -> Any:
        return answer_of(self.tell(do, **command))

    def close(self) -> None:
        self._process.communicate()

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()


def answer_of(told: dict[str, Any]) -> Any:
    """The answer; raises Refused for an error."""
    if "error" in told:
        raise _refused(told["error"])
    return told["answer"]


def _refused(error: dict[str, Any]) -> Refused:
    return Refused(**{**error, "code": _CODES[error["code"]]})


class _Numbered:
    """What sessions of both kinds share."""

    kind: str

    def __init__(self, program: Program, created: dict[str, Any]) -> None:
        self._program = program
        self._id = created["id"]
        self.name, self.num_envs = created["name"], created["num_envs"]
        self.next_op_index = created["next_op_index"]
        self.spec = EnvironmentSpec.from_message(
            pb.EnvironmentSpec.FromString(bytes.fromhex(created["spec"]))
        )

    def _ask(self, do: str, **command: Any) -> Any:
        told = self._program.tell(do, **{self.kind: self._id}, **command)
        self.next_op_index = told.get("next_op_index", self.next_op_index)
        return answer_of(told)

    def snapshot(self, copies=()):
        return bytes.fromhex(self._ask("snapshot", copies=list(copies)))

    def restore(self, snapshot, copy_of=()):
        self._ask("restore", snapshot=snapshot.hex(), copy_of=list(copy_of))

    def fork(self, num_sessions, copy_of=()):
        made = self._ask("fork", num_sessions=num_sessions, copy_of=list(copy_of))
        return [type(self)(self._program, created) for created in made]

    def start_recording(self, label="", kinds=(), series=()):
        numbers = [KINDS[kind] for kind in kinds]
        messages = [each.to_message().SerializeToString().hex() for each in series]
        return self._ask("start_recording", label=label, kinds=numbers, series=messages)

    def stop_recording(self):
        return self._ask("stop_recording")

    def detach(self) -> str:
        return self._ask("detach")

    def close(self) -> None:
        self._ask("close")

    def forget(self) -> None:
        self._ask("forget")


class CppSession(_Numbered, drivers.Session):
    """A livnd::client::Session."""

    kind = "session"

    def reset(self, seeds=(), mask=(), options=None):
        return self._answer(
            self._ask(
                "reset",
                seeds=list(seeds),
                mask=[bool(chosen) for chosen in mask],
                options=[_option(name, value) for name, value in (options or {}).items()],
            )
        )

    def step(self, actions):
        numbers = np.asarray(actions, np.float32)
        return self._answer(self._ask("step", actions=numbers.tobytes().hex()))

    def observe(self):
        return self._answer(self._ask("observe"))

    def render(self, copies=()):
        told = self._ask("render", copies=list(copies))
        kinds = {"simulated": np.uint8, "pulse_ua": np.float64}
        answer = {n: _array(v, kinds.get(n, np.int64), -1) for n, v in told.items()}
        return answer | {"simulated": answer["simulated"].astype(np.bool_)}

    def pace_report(self):
        report = pb.PaceReport.FromString(bytes.fromhex(self._ask("pace_report")))
        return report if report.jitter_bounds_us else None

    def _answer(self, told: dict[str, Any]) -> Answer:
        answer: Answer = {}
        for name, value in told.items():
            # Of those that are final there is a row for each episode that ended, or nothing.
            rows = -1 if name.startswith("final_") else self.num_envs
            if name in ("infos", "final_infos"):
                for info in self.spec.infos if value else ():
                    answer[f"{name}.{info.name}"] = _array(
                        value[info.name], np.float64, rows, *info.shape
                    )
            elif name in ("observations", "final_observations"):
                if value:
                    answer[name] = _array(value, np.float32, rows, *self.spec.observations[0].shape)
            else:
                answer[name] = _array(value, _DTYPES[name], self.num_envs)
        return answer


class CppStream(drivers.Stream):
    """A livnd::client::StepStream."""

    def __init__(self, program: Program, number: int) -> None:
        self._program = program
        self._id = number
        self._sessions: dict[int, CppSession] = {}

    def send(self, session, actions):
        self._sessions[session._id] = session
        numbers = np.asarray(actions, np.float32).tobytes().hex()
        self._program.ask("send", stream=self._id, session=session._id, actions=numbers)

    def recv(self):
        told = self._program.tell("recv", stream=self._id)
        if "session" not in told:
            raise _refused(told["error"])
        session = self._sessions[told["session"]]
        session.next_op_index = told["next_op_index"]
        if "error" in told:
            return session, _refused(told["error"])
        return session, session._answer(told["answer"])

    def close(self):
        self._program.ask("forget", stream=self._id)


class CppCulture(_Numbered, drivers.Culture):
    """A livnd::client::CultureSession, which speaks the protocol's own messages."""

    kind = "culture"

    def clear(
        self, seeds=(), *, repeat_noise=False, noise_stream=None, forget_learned_weights=False
    ):
        told = self._ask(
            "clear",
            seeds=list(seeds),
            repeat_noise=repeat_noise,
            noise_stream=noise_stream,
            forget_learned_weights=forget_learned_weights,
        )
        return {"seeds": _array(told, np.uint64, self.num_envs)}

    def run(self, duration_ms, stimuli=(), *, plan=None, charges=False, features=None):
        request = pb.RunRequest(
            duration_ms=duration_ms,
            stimuli=[stimulus.to_message() for stimulus in stimuli],
            pulse_plan=None if plan is None else pulse_plan(plan),
            charges=charges,
        )
        if features is not None:
            request.features.CopyFrom(encode(features, np.float32))
        told = self._ask("run", request=request.SerializeToString().hex())
        recording = pb.CultureRecording.FromString(bytes.fromhex(told))
        answer = {
            name: np.asarray(getattr(recording, name))
            for name in ("start_tick", "num_ticks", "tick_ns")
        }
        for name in ("spike_offsets", "spike_gids", "spike_ticks", "spike_times_ms"):
            answer[name] = decode(getattr(recording, name))
        answer["failed_at_ms"] = decode(recording.failed_at_ms)
        if charges:
            told = recording.charges
            answer |= {f"charges.{of.name}": decode(value) for of, value in told.ListFields()}
        for i, each in enumerate(recording.decoded):
            answer |= {f"decoded[{i}].{t.name}": decode(t.values) for t in each.values}
        return answer | {f"series[{i}]": decode(t) for i, t in enumerate(recording.series)}

    def configure(
        self,
        *,
        params=None,
        dt_ms=None,
        plasticity_on=None,
        learned_weights=None,
        noise_stream=None,
        spikes=None,
        series=None,
        decodings=None,
        device=None,
        light_array=None,
        encoding=None,
    ):
        request = pb.ConfigureRequest(
            params=[pb.Param(key=key, value=value) for key, value in (params or {}).items()],
            dt_ms=dt_ms,
            plasticity_on=plasticity_on,
            noise_stream=noise_stream,
        )
        if learned_weights is not None:
            request.learned_weights.CopyFrom(encode(learned_weights, np.float64))
        if spikes is not None or series is not None or decodings is not None:
            request.recording.spikes = bool(spikes)
            request.recording.series.extend(s.to_message() for s in series or ())
            for i, each in enumerate(decodings or ()):
                selected = decoding_selection(f"recording.decodings[{i}]", each)
                request.recording.decodings.append(selected)
        for name, given, form in (
            ("device", device, device_message),
            ("light_array", light_array, fibers),
            ("encoding", encoding, encoding_selection),
        ):
            if given is not None:
                getattr(request, name).CopyFrom(form(given))
        self._ask("configure", request=request.SerializeToString().hex())

    def describe(self, *, learned_weights=False):
        told = self._ask("get_culture", learned_weights=learned_weights)
        message = pb.GetCultureResponse.FromString(bytes.fromhex(told))
        answer = {
            name: np.asarray(getattr(message, name))
            for name in (
                *("dt_ms", "v_init_mv", "ticks", "tick_ns", "num_clears"),
                *("noise_stream", "plasticity_on", "accepted_params"),
            )
        }
        answer["gids"] = np.sort(np.concatenate([decode(p.gids) for p in message.populations]))
        answer["failed_at_ms"] = decode(message.failed_at_ms)
        answer["seeds"] = decode(message.seeds)
        for param in message.params:
            value = decode(param.values) if param.HasField("values") else param.value
            answer[f"params.{param.key}"] = np.asarray(value)
        if learned_weights:
            answer["learned_weights"] = decode(message.learned_weights.weights)
        if message.HasField("device"):
            info = DeviceInfo.from_message(message.device)
            answer["electrodes"] = info.ids
            for name, limit in info.limits.items():
                answer[f"limits.{name}"] = np.asarray(limit)
        if message.HasField("light_array"):
            answer["fibers"] = LightArrayInfo.from_message(message.light_array).ids
        if message.HasField("encoding"):
            answer["encoding"] = np.asarray(message.encoding.name)
            answer["encoding_inputs"] = np.asarray([i.name for i in message.encoding_inputs])
        return answer


class CppClient(drivers.Client):
    """A livnd::client::Client."""

    def __init__(self, program: Program, number: int) -> None:
        self._program = program
        self._id = number
        self._sessions: list[CppSession | CppCulture] = []

    def _ask(self, do: str, **command: Any) -> Any:
        return self._program.ask(do, client=self._id, **command)

    def info(self):
        told = self._ask("info")
        return ServerInfo.from_message(pb.GetServerInfoResponse.FromString(bytes.fromhex(told)))

    def systems(self):
        return self._ask("systems")

    def system(self, name):
        told = self._ask("system", name=name)
        return System.from_message(pb.System.FromString(bytes.fromhex(told)))

    def codings(self):
        told = pb.ListCodingsResponse.FromString(bytes.fromhex(self._ask("codings")))
        return (
            tuple(map(Coding.from_message, told.decodings)),
            tuple(map(Coding.from_message, told.encodings)),
        )

    def environments(self):
        return [self._spec(told) for told in self._ask("environments")]

    def not_offered(self):
        messages = [
            pb.EnvironmentNotOffered.FromString(bytes.fromhex(told))
            for told in self._ask("not_offered")
        ]
        return [EnvironmentNotOffered(m.environment_id, m.system, m.why) for m in messages]

    def environment(self, environment_id):
        return self._spec(self._ask("environment", name=environment_id))

    @staticmethod
    def _spec(told: str) -> EnvironmentSpec:
        return EnvironmentSpec.from_message(pb.EnvironmentSpec.FromString(bytes.fromhex(told)))

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
        created = self._ask(
            "create_session",
            environment_id=environment_id,
            num_envs=num_envs,
            autoreset_mode=_MODES[autoreset_mode],
            max_episode_steps=max_episode_steps or 0,
            snapshot=snapshot.hex(),
            copy_of=list(copy_of),
            pace=pace,
        )
        self._sessions.append(CppSession(self._program, created))
        return self._sessions[-1]

    def stream(self):
        return CppStream(self._program, self._ask("open_stream"))

    def session_info(self, name):
        told = pb.GetSessionResponse.FromString(bytes.fromhex(self._ask("session_info", name=name)))
        info = {n: getattr(told.session, n) for n in ("num_envs", "next_op_index", "generation")}
        return {**info, "pace": told.session.pace.speed}

    def attach(self, name):
        self._sessions.append(CppSession(self._program, self._ask("attach_session", name=name)))
        return self._sessions[-1]

    def recordings(self, session=""):
        told = self._ask("recordings", name=session)
        messages = [pb.Recording.FromString(bytes.fromhex(each)) for each in told]
        return [RecordingInfo.from_message(message) for message in messages]

    def read_rows(self, recording, stream, first_row=0, copy=None, episodes=None, ticks=None):
        request = pb.ReadRecordingRequest(
            recording=recording, stream=stream, first=first_row, copy=copy
        )
        if episodes is not None:
            request.begin_episode, request.end_episode = episodes
        if ticks is not None:
            request.begin_tick, request.end_tick = ticks
        told = self._ask("read_rows", request=request.SerializeToString().hex())
        header = pb.RecordingHeader.FromString(bytes.fromhex(told["header"]))
        return np.frombuffer(bytes.fromhex(told["rows"]), dtype_of_rows(header))

    def download_recording(self, recording, path):
        self._ask("download_recording", name=recording, path=str(path))

    def delete_recording(self, recording, missing_ok=False):
        self._ask("delete_recording", name=recording, allow_missing=missing_ok)

    def culture(self, system, num_envs=1):
        created = self._ask("create_culture", system=system, num_envs=num_envs)
        self._sessions.append(CppCulture(self._program, created))
        return self._sessions[-1]

    def close(self):
        for session in self._sessions:
            session.forget()
        self._ask("forget")


class CppDriver(drivers.Driver):
    """The library //clients/cpp:client."""

    language = "cpp"

    def __init__(self) -> None:
        self._program = Program()

    def connect(self, address, **options):
        return CppClient(self._program, self._program.ask("connect", address=address, **options))

    def make_and_die(self, address, environment_id):
        program = Program()
        session = CppClient(program, program.ask("connect", address=address)).session(
            environment_id
        )
        session.reset()
        program.kill()
        return session.name

    def close(self) -> None:
        """Ends the program."""
        self._program.close()
