"""Sessions whose culture time keeps to the clock: `--pace`, and CreateSessionRequest.pace."""

from __future__ import annotations

import time

import livnd
import numpy as np
import pytest
from livnd._proto import pb
from serving import Serve

STEP_S = 0.05  # of TargetRate-EI-mini-v0: culture time
TASK = "TargetRate-EI-mini-v0"
PLAIN = ["--threads", "1"]


def make(client: livnd.Client, speed: float | None) -> str:
    request_id = str(time.time_ns())
    request = pb.CreateSessionRequest(request_id=request_id, environment_id=TASK, num_envs=1)
    if speed is not None:
        request.pace.speed = speed
    return client.call("CreateSession", request).session


def drive(client: livnd.Client, session: str, num_steps: int, first: int = 1) -> list[bytes]:
    """A Reset, where the first operation is one, and steps; their observations."""
    if first == 1:
        seeds = pb.Tensor(dtype=pb.DATA_TYPE_UINT64, shape=[1], data=np.uint64(7).tobytes())
        client.call("Reset", pb.ResetRequest(session=session, op_index=1, seeds=seeds))
        first = 2
    seen = []
    for op_index in range(first, first + num_steps):
        request = pb.StepRequest(session=session, op_index=op_index)
        request.actions.add(dtype=pb.DATA_TYPE_FLOAT32, shape=[1, 8], data=bytes(32))
        seen.append(client.call("Step", request).observations[0].data)
    return seen


def report(client: livnd.Client, session: str):
    return client.call("GetSession", pb.GetSessionRequest(session=session)).pace


def test_a_paced_session_keeps_its_time_and_its_bits():
    with Serve(*PLAIN) as server, livnd.connect(server.address) as client:
        free, paced = make(client, None), make(client, 2.0)
        about = pb.DescribeEnvironmentRequest(environment_id=TASK)
        described = client.call("DescribeEnvironment", about).environment
        assert described.step_duration_ms == 1000 * STEP_S
        expected = drive(client, free, 8)
        start = time.monotonic()
        assert drive(client, paced, 8) == expected
        assert time.monotonic() - start >= 8 * STEP_S / 2
        told = report(client, paced)
        assert (told.speed, told.num_steps) == (2.0, 8)
        assert sum(told.jitter_counts) == 8
        assert len(told.jitter_counts) == len(told.jitter_bounds_us) + 1
        assert 0 < told.mean_jitter_us <= told.max_jitter_us
        assert not client.call("GetSession", pb.GetSessionRequest(session=free)).HasField("pace")

        # A caller that takes longer than a step is late, and what it missed is not made up for.
        time.sleep(3 * STEP_S)
        drive(client, paced, 1, first=10)
        late = report(client, paced)
        assert late.num_late >= told.num_late + 1
        assert late.max_jitter_us >= 1e6 * STEP_S


def test_the_pace_is_the_servers_where_a_session_says_nothing():
    with Serve(*PLAIN, "--pace", "4") as server, livnd.connect(server.address) as client:
        session = make(client, None)
        start = time.monotonic()
        drive(client, session, 8)
        assert time.monotonic() - start >= 8 * STEP_S / 4
        # It is a session's own from its first day, whatever happens to the server.
        server.kill()
        server.command[server.command.index("--pace") + 1] = "free"
        server.start()
        drive(client, session, 1, first=10)
        assert report(client, session).speed == 4.0
        free = make(client, 0.0)
        assert not client.call("GetSession", pb.GetSessionRequest(session=free)).HasField("pace")
        fork = pb.ForkRequest(session=session, request_id="f", num_sessions=1)
        (forked,) = client.call("Fork", fork).sessions
        assert forked.pace.speed == 4.0


def test_a_server_that_ends_waits_for_no_clock():
    with Serve(*PLAIN, "--pace", "0.001") as server:
        with livnd.connect(server.address, retry_s=0) as client:
            session = make(client, None)
            request = pb.ResetRequest(session=session, op_index=1)
            client.call("Reset", request)
            step = pb.StepRequest(session=session, op_index=2)
            step.actions.add(dtype=pb.DATA_TYPE_FLOAT32, shape=[1, 8], data=bytes(32))
            with pytest.raises(livnd.LivndError) as caught:
                client.call("Step", step, timeout_s=1.0)  # due in 50 s
            assert caught.value.code == "DEADLINE_EXCEEDED"
        server.process.terminate()
        assert server.process.wait(20) == 0
        assert "given up" not in server.log()


@pytest.mark.parametrize("speed", [-1.0, 1e-4, 1e4, float("nan"), float("inf")])
def test_a_speed_that_is_none_is_refused(speed):
    with (
        Serve(*PLAIN) as server,
        livnd.connect(server.address) as client,
        pytest.raises(livnd.errors.InvalidFieldError, match=r"pace\.speed"),
    ):
        make(client, speed)


@pytest.mark.parametrize("pace", ["fast", "-1", "1e9", "nan"])
def test_a_server_does_not_start_with_a_pace_that_is_none(pace):
    with Serve(*PLAIN, "--pace", pace) as server:
        assert server.ready is None and server.process.wait(60) != 0
        for word in (f"pace is '{pace}'", "free", "real"):
            assert word in server.log()
