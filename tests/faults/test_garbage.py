"""Messages that nobody would send, over every call: each is an error of the caller's, or an answer.

The server lives and goes on with the bits that it would have had. What may be lost: nothing that
was acknowledged, but by a message that happens to be a sound one.
"""

from __future__ import annotations

import contextlib
import os
import random

import grpc
import livnd
import numpy as np
from livnd._proto import METHODS, pb
from serving import TASK, Serve

NUM_MESSAGES = int(os.environ.get("LIVND_GARBAGE", "10000"))
NULL = "Null-v0"
# But for the one that ends the server, as it should, and the one with a test of its own.
CALLS = {m: told for m, told in METHODS.items() if m not in ("Drain", "StepStream")}
# A defect of the server, or its end.
NEVER = {
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.UNKNOWN,
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DATA_LOSS,
}
# Numbers that mean something to who parses.
VARINTS = [b"\x00", b"\x01", b"\x7f", b"\xff" * 9 + b"\x01", b"\x80" * 9 + b"\x01", b"\xff\x07"]
DOUBLES = [np.float64(x).tobytes() for x in (np.nan, np.inf, -np.inf, -1.0, 1e300, 5e-324, 0.1)]


class Target:
    """Sessions to aim at, and a sound request for every call."""

    def __init__(self, client: livnd.Client) -> None:
        self._client = client
        self.renew()

    def renew(self) -> None:
        """After something has been done to them that others would have to wait for."""
        self.task = self._client.create_session(NULL, 2)
        self.culture = self._client.create_culture("EI-mini", 1)
        self.task.reset([1, 2])
        self.culture.clear([3])
        self.snapshots = [self.task.snapshot(), self.culture.snapshot()]
        made = self._client.create_session(NULL, 1)
        self.recording = made.start_recording()
        made.reset([4])
        made.close()

    def request(self, method: str, random_: random.Random) -> bytes:
        session = random_.choice([self.task, self.culture])
        request = METHODS[method].request()
        fields = {field.name for field in METHODS[method].request.DESCRIPTOR.fields}
        if "session" in fields:
            request.session = session.name
        if "op_index" in fields:
            request.op_index = session.next_op_index
        if "request_id" in fields:
            request.request_id = f"{random_.getrandbits(64):x}"
        if "snapshot" in fields and random_.random() < 0.7:
            request.snapshot = random_.choice(self.snapshots)
        if method == "CreateSession":
            request.environment_id = random_.choice([NULL, TASK, "Culture-EI-mini-v0"])
            request.num_envs = 1
            request.autoreset_mode = 1
        elif method == "Fork":
            request.num_sessions = 1
        elif method == "Step":
            action = np.zeros((2, *self.task.spec.actions[0].shape), np.float32)
            request.actions.append(self.task._encode_action(self.task.spec.actions[0], action))
        elif method == "Run":
            request.duration_ms = 0.5
        elif method == "Configure":
            request.dt_ms = 0.1
        elif method in ("ReadRecording", "DeleteRecording"):
            request.recording = self.recording
            if method == "ReadRecording":
                request.stream = random_.choice(["rewards", "episode_starts", ""])
        elif method == "StartRecording":
            request.kinds.append(random_.choice([2, 5]))
        elif method in ("DescribeEnvironment",):
            request.environment_id = NULL
        elif method == "GetSystem":
            request.system = "EI-mini"
        return request.SerializeToString()


def spoil(sound: bytes, random_: random.Random) -> bytes:
    """Another message; often one that parses."""
    if random_.random() < 0.1:
        return random_.randbytes(random_.randrange(200))
    message = bytearray(sound)
    for _ in range(random_.randint(1, 3)):
        at = random_.randrange(len(message) + 1)
        match random_.randrange(7):
            case 0 if message:
                message[at % len(message)] ^= 1 << random_.randrange(8)
            case 1:
                del message[at:]
            case 2:
                message[at:at] = random_.choice(VARINTS)
            case 3:
                message[at : at + 8] = random_.choice(DOUBLES)
            case 4:
                message[at:at] = message[: random_.randrange(len(message) + 1)]
            case 5:
                del message[at : at + random_.randrange(1, 9)]
            case 6:
                message += random_.randbytes(random_.randrange(20))
    return bytes(message)


def test_garbage_is_refused_or_answered_and_harms_nobody():
    random_ = random.Random(1)
    flags = ("--bench-environments", "--threads", "2", "--max-envs", "4", "--max-sessions", "64")
    with Serve(*flags) as server, livnd.connect(server.address) as client:
        witness = client.create_session(TASK, 2)
        witness.reset([1, 2])
        actions = np.full((2, *witness.spec.actions[0].shape), 0.2, np.float32)
        twin = client.create_session(TASK, 2, snapshot=witness.snapshot())
        expected = [twin.step(actions).observations[0].tobytes() for _ in range(3)]
        target = Target(client)
        codes: dict[str, set[grpc.StatusCode]] = {method: set() for method in CALLS}
        with grpc.insecure_channel(server.address) as channel:
            calls = {m: channel.unary_unary(told.path) for m, told in CALLS.items()}
            reading = channel.unary_stream(CALLS["ReadRecording"].path)
            calls["ReadRecording"] = lambda message, timeout: list(reading(message, timeout))
            for number in range(NUM_MESSAGES):
                method = random_.choice(list(CALLS))
                message = spoil(target.request(method, random_), random_)
                try:
                    answer = calls[method](message, timeout=5.0)
                    codes[method].add(grpc.StatusCode.OK)
                except grpc.RpcError as error:
                    codes[method].add(error.code())
                    assert error.code() not in NEVER, (method, number, message, error)
                    answer = None
                settle(method, answer, client, target, codes[method])
        assert server.process.poll() is None, server.log()
        for method, seen in codes.items():
            assert grpc.StatusCode.INVALID_ARGUMENT in seen, (method, seen)
        assert [witness.step(actions).observations[0].tobytes() for _ in range(3)] == expected


def settle(method, answer, client, target, codes) -> None:
    """Ends what a message has made, and aims anew where it has hit."""
    made = []
    if answer is not None and method == "CreateSession":
        made = [pb.CreateSessionResponse.FromString(answer)]
    elif answer is not None and method == "Fork":
        made = pb.ForkResponse.FromString(answer).sessions
    for session in made:
        client.call("DeleteSession", pb.DeleteSessionRequest(session=session.session))
    hit = answer is not None and method in (
        *("DeleteSession", "EndSession", "AttachSession", "Restore", "Run", "Configure"),
        *("Step", "Reset", "Clear", "StartRecording", "StopRecording", "DeleteRecording"),
    )
    if hit or grpc.StatusCode.DEADLINE_EXCEEDED in codes:
        codes.discard(grpc.StatusCode.DEADLINE_EXCEEDED)
        for session in (target.task, target.culture):
            with contextlib.suppress(livnd.errors.LivndError):
                session.close()
        target.renew()


def test_garbage_in_streams_is_answered_or_ends_them_and_harms_nobody():
    """Every message with a tag is answered, until one is none; those of others go on."""
    random_ = random.Random(2)
    with (
        Serve("--bench-environments", "--threads", "2") as server,
        livnd.connect(server.address) as client,
        client.step_stream() as sound,
        grpc.insecure_channel(server.address) as channel,
    ):
        witness, twin = client.create_session(TASK, 2), client.create_session(TASK, 2)
        actions = np.full((2, *witness.spec.actions[0].shape), 0.2, np.float32)
        for session in (witness, twin):
            session.reset([1, 2])
        target = Target(client)
        stream = METHODS["StepStream"]
        open_stream = channel.stream_stream(stream.path, None, stream.response.FromString)
        codes: set[grpc.StatusCode] = set()
        num_answers = num_steps = 0
        for number in range(max(1, NUM_MESSAGES // 20)):
            messages = []
            for tag in range(1, random_.randint(1, 12)):
                step = pb.StepRequest.FromString(target.request("Step", random_))
                step.session = random_.choice([target.task, target.culture]).name
                sent = pb.StepStreamRequest(tag=tag, step=step).SerializeToString()
                messages.append(spoil(sent, random_) if random_.random() < 0.5 else sent)
            call = open_stream(iter(messages), timeout=10)
            try:
                answers = list(call)
            except grpc.RpcError:
                answers = []
            codes.add(call.code())
            assert call.code() not in NEVER, (number, messages, call)
            num_answers += len(answers)
            if call.code() == grpc.StatusCode.OK:
                assert len(answers) == len(messages), (number, messages)
            for answer in answers:
                if answer.HasField("error"):
                    assert livnd.errors.from_status(answer.error, "Step").reason
            num_steps += sum(answer.HasField("step") for answer in answers)
            done = client.session_info(target.task.name).next_op_index
            target.task.next_op_index = done
            if number % 100 == 0:
                sound.send(witness, actions)
                told = sound.recv()[1]
                expected = twin.step(actions)
                assert told.observations[0].tobytes() == expected.observations[0].tobytes()
        assert codes == {grpc.StatusCode.OK, grpc.StatusCode.INVALID_ARGUMENT}
        assert num_answers > num_steps > 0
        assert server.process.poll() is None
