"""What a tenant may have, and how many calls may wait, are bounded; others notice nothing."""

from __future__ import annotations

import time
from pathlib import Path

import grpc
import livnd
import numpy as np
import pytest
from livnd import errors
from livnd._proto import METHODS, pb
from serving import TASK, Serve

NULL = "Null-v0"
ALICE = "alice.0123456789abcdef0123456789abcdef"
BOB = "bob.456789abcdef0123456789abcdef0123"


def written(path: Path, text: str) -> Path:
    new = path.with_suffix(".new")
    new.write_text(text)
    new.chmod(0o600)
    new.rename(path)
    return path


@pytest.fixture
def serve(tmp_path):
    """A server with quotas, whose two tenants are connected."""
    started = []

    def start(quotas: str) -> tuple[Serve, livnd.Client, livnd.Client]:
        server = Serve(
            *("--quotas", str(written(tmp_path / "quotas.yaml", quotas))),
            *("--tokens", str(written(tmp_path / "tokens", f"{ALICE} alice\n{BOB} bob\n"))),
            *("--bench-environments", "--threads", "1", "--lease", "2s"),
        )
        clients = [livnd.connect(server.address, token=token, retry_s=0) for token in (ALICE, BOB)]
        started.extend([*clients, server])
        return server, *clients

    yield start
    for client in started:
        if isinstance(client, Serve):
            client.__exit__(None, None, None)
        else:
            client.close()


def exceeded(call, *arguments) -> str:
    with pytest.raises(errors.QuotaExceededError) as refused:
        call(*arguments)
    assert refused.value.code == "RESOURCE_EXHAUSTED"
    assert refused.value.value
    assert refused.value.retry_after_s is None
    return refused.value.field


def info(server: Serve, token: str) -> object:
    with grpc.insecure_channel(server.address) as channel:
        answer = channel.unary_unary(METHODS["GetServerInfo"].path)(
            b"", metadata=[("authorization", f"Bearer {token}")], timeout=60
        )
    return METHODS["GetServerInfo"].response.FromString(answer)


def test_sessions_and_copies(serve):
    _, alice, bob = serve("alice: {max_sessions: 2, max_envs: 5}\n")
    first = alice.create_session(NULL, 3)
    assert exceeded(alice.create_session, NULL, 3) == "max_envs"
    second = alice.create_session(NULL, 2)
    assert exceeded(alice.create_session, NULL, 1) == "max_sessions"
    others = [bob.create_session(NULL, 9) for _ in range(3)]
    first.close()
    assert exceeded(alice.create_session, NULL, 4) == "max_envs"
    third = alice.create_session(NULL, 3)
    for session in (second, third, *others):
        session.close()


def test_a_session_on_the_disk_counts(serve):
    server, alice, _ = serve("alice: {max_sessions: 1}\n")
    with grpc.insecure_channel(server.address) as channel:
        create = METHODS["CreateSession"].request(
            request_id="mine", environment_id=NULL, num_envs=1, autoreset_mode=1
        )
        channel.unary_unary(METHODS["CreateSession"].path)(
            create.SerializeToString(), metadata=[("authorization", f"Bearer {ALICE}")]
        )
    time.sleep(4)  # past its lease
    assert exceeded(alice.create_session, NULL, 1) == "max_sessions"


def test_memory(serve):
    _, alice, bob = serve("alice: {max_bytes: 8M}\n")
    first = alice.create_culture("EI-100", 1)
    assert exceeded(alice.create_culture, "EI-100", 200) == "max_bytes"
    other = bob.create_culture("EI-100", 200)
    first.close()
    other.close()


def test_culture_time(serve):
    _, alice, bob = serve("default: {max_simulated_s: 1}\nbob: {max_simulated_s: 0}\n")
    culture = alice.create_culture("EI-mini", 2)
    culture.clear([1, 2])
    culture.run(300.0)
    assert exceeded(culture.run, 201.0) == "max_simulated_s"  # nothing was done
    assert culture.describe().ticks == 12_000
    culture.run(150.0)
    session = alice.create_session(TASK, 1)
    session.reset([1])
    action = np.zeros((1, *session.spec.actions[0].shape), np.float32)
    steps = 0
    with pytest.raises(errors.QuotaExceededError):
        while True:
            session.step(action)
            steps += 1
    assert steps == round(100.0 / session.spec.step_duration_ms)
    free = bob.create_culture("EI-mini", 2)
    free.clear([1, 2])
    free.run(1000.0)


def test_quotas_are_published_and_read_again(serve, tmp_path):
    server, alice, _ = serve("alice: {max_sessions: 1, max_bytes: 4G, max_simulated_s: 2.5}\n")
    quota = info(server, ALICE).quota
    assert (quota.max_sessions, quota.max_envs) == (1, 0)
    assert (quota.max_bytes, quota.max_simulated_s) == (4 << 30, 2.5)
    assert info(server, BOB).quota == pb.Quota()
    first = alice.create_session(NULL, 1)
    assert exceeded(alice.create_session, NULL, 1) == "max_sessions"
    written(tmp_path / "quotas.yaml", "alice: {max_sessions: many}\n")
    deadline = time.monotonic() + 60
    while "the quotas stay as they were" not in server.log():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert info(server, ALICE).quota.max_sessions == 1
    written(tmp_path / "quotas.yaml", "alice: {max_sessions: 2}\n")
    while info(server, ALICE).quota.max_sessions != 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    second = alice.create_session(NULL, 1)
    first.close()
    second.close()


def test_a_file_that_says_nonsense_ends_the_start(tmp_path):
    path = written(tmp_path / "quotas.yaml", "alice: {max_session: 1}\n")
    with Serve("--quotas", str(path)) as server:
        assert server.ready is None
        assert server.process.wait(60) == 1
        assert f"{path}:1: 'alice.max_session'" in server.log()
        assert "max_sessions (the nearest)" in server.log()


def test_calls_of_all_sessions_that_wait_are_bounded():
    with (
        Serve("--max-waiting-calls", "8", "--threads", "1") as server,
        livnd.connect(server.address, retry_s=0) as client,
    ):
        cultures = [client.create_culture("EI-mini", 2) for _ in range(5)]
        for culture in cultures:
            culture.clear([1, 2])
        with grpc.insecure_channel(server.address) as channel:
            run = channel.unary_unary(METHODS["Run"].path)
            look = channel.unary_unary(METHODS["GetCulture"].path)
            calls = []
            for culture in cultures[:4]:
                request = pb.RunRequest(session=culture.name, op_index=2, duration_ms=100_000.0)
                calls.append(run.future(request.SerializeToString()))
            server.until_it_works_hard()
            # More than have room: one that is over at once may be in the way of another.
            for culture in cultures[:4] * 8:
                request = pb.GetCultureRequest(session=culture.name)
                calls.append(look.future(request.SerializeToString()))
            with pytest.raises(errors.CapacityError) as refused:
                for _ in range(1000):  # some before the others have come in
                    cultures[4].describe()
            assert refused.value.reason == "TOO_BUSY"
            assert refused.value.retry_after_s > 0
            for culture in cultures[:4]:
                culture.close()
            for call in calls:
                call.exception(60)
        cultures[4].run(1.0)  # there is room again
