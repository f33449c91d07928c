"""`livnd sessions` lists and ends the sessions of a server, for its admins and nobody else."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import livnd
import numpy as np
import pytest
from livnd._proto import pb
from serving import LIVND, Serve

ADMIN = "admin.0123456789abcdef0123456789abcdef"
ALICE = "alice.0123456789abcdef0123456789abcdef"
ACTIONS = np.zeros((2, 8), np.float32)  # of two copies of Null-v0
PLAIN = ["--bench-environments", "--threads", "1"]


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch):
    for name in ("TOKEN", "TOKEN_FILE", "TLS_CA", "TLS_CERT", "TLS_KEY"):
        monkeypatch.delenv(f"LIVND_{name}", raising=False)


def sessions(*arguments: str, token: str = "") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **({"LIVND_TOKEN": token} if token else {})}
    return subprocess.run(
        [str(LIVND), "sessions", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        env=environment,
    )


def listed(*arguments: str, token: str = "") -> dict:
    done = sessions(*arguments, "--json", token=token)
    assert done.returncode == 0 and not done.stderr, done.stderr
    return json.loads(done.stdout)


def refused(done: subprocess.CompletedProcess[str], status: int, *words: str) -> None:
    assert done.returncode == status, (done.stdout, done.stderr)
    assert not done.stdout and done.stderr.count("\n") == 1
    for word in words:
        assert word in done.stderr, done.stderr


def secret(path: Path, text: str) -> str:
    path.write_text(text)
    path.chmod(0o600)
    return str(path)


def test_sessions_are_listed_wherever_they_are():
    with Serve(*PLAIN) as server, livnd.connect(server.address) as client:
        assert listed(server.address) == {"address": server.address, "ended": [], "sessions": []}
        first = client.create_session("Null-v0", 2)
        second = client.create_session("Null-v0", 3)
        second = client.attach_session(second.name)
        told = {one["session"]: one for one in listed(server.address)["sessions"]}
        assert set(told) == {first.name, second.name}
        assert told[first.name] == {
            "session": first.name,
            "tenant": "",
            "environment_id": "Null-v0",
            "num_envs": 2,
            "place": "memory",
            "idle_s": pytest.approx(0, abs=100),
            "num_calls": 0,
            "generation": 1,
        }
        assert told[second.name]["generation"] == 2
        table = sessions(server.address).stdout.splitlines()
        assert table[0].split() == [
            *("SESSION", "TENANT", "ENVIRONMENT", "COPIES", "PLACE", "IDLE", "HOLDER")
        ]
        # Enough to tell them apart, and too little to drive one.
        assert {line.split()[0] for line in table[1:]} == {first.name[:8], second.name[:8]}
        assert first.name not in sessions(server.address).stdout

        # The journal of one of them is damaged while the server is away.
        server.kill()
        for journal in server.journals:
            if journal.stem == first.name:
                content = bytearray(journal.read_bytes())
                content[12] ^= 0xFF
                journal.write_bytes(content)
        server.start()
        told = {one["session"]: one for one in listed(server.address)["sessions"]}
        assert told[first.name]["place"] == "lost" and told[first.name]["why"]
        assert told[second.name]["place"] == "memory" and "why" not in told[second.name]
        assert listed(server.address, "--end", first.name[:8])["ended"] == [first.name]
        assert [journal.stem for journal in server.journals] == [second.name]


def test_a_session_is_ended_by_the_beginning_of_its_name():
    with Serve(*PLAIN) as server, livnd.connect(server.address) as client:
        made = [client.create_session("Null-v0", 2) for _ in range(3)]
        done = sessions(server.address, "--end", f"{made[0].name[:8]}, {made[1].name}")
        assert done.returncode == 0
        assert done.stdout.splitlines()[:2] == [f"ended {made[0].name}", f"ended {made[1].name}"]
        (left,) = listed(server.address)["sessions"]
        assert left["session"] == made[2].name
        with pytest.raises(livnd.errors.UnknownSessionError):
            made[0].reset()
        refused(sessions(server.address, "--end", made[2].name[:7]), 1, "UNKNOWN_SESSION")
        refused(sessions(server.address, "--end", made[0].name), 1, "UNKNOWN_SESSION")
        made[2].reset()
        made[2].step(ACTIONS)


def test_a_server_is_told_to_end():
    with Serve(*PLAIN) as server, livnd.connect(server.address) as client:
        session = client.create_session("Null-v0", 2)
        session.reset()
        assert sessions(server.address, "--drain").stdout.endswith("the server ends\n")
        assert server.process.wait(60) == 0
        assert "ending on a call of Drain" in server.log()
        server.start()
        session.step(ACTIONS)  # as if nothing had been


@pytest.mark.parametrize("listen", ["127.0.0.1:0", "localhost:0"])
def test_where_others_can_come_nobody_is_an_admin_without_a_token(listen):
    with Serve(*PLAIN, listen=listen) as server:
        refused(sessions(server.address), 1, "NOT_ADMIN", "--admin-tokens")
        refused(sessions(server.address, "--drain"), 1, "NOT_ADMIN")
        assert server.process.poll() is None


@pytest.mark.parametrize("listen", [True, "127.0.0.1:0"])
def test_an_admin_shows_a_token_of_its_own(tmp_path, listen):
    tokens = ["--tokens", secret(tmp_path / "tokens", f"{ALICE} alice\n")]
    admins = ["--admin-tokens", secret(tmp_path / "admins", f"{ADMIN} root\n")]
    with Serve(*PLAIN, *tokens, listen=listen) as server:
        refused(sessions(server.address, token=ALICE), 1, "NOT_ADMIN", "has no --admin-tokens")
    with (
        Serve(*PLAIN, *tokens, *admins, listen=listen) as server,
        livnd.connect(server.address, token=ALICE) as alice,
    ):
        assert "1 admin token(s)" in server.log()
        session = alice.create_session("Null-v0", 2)
        (told,) = listed(server.address, token=ADMIN)["sessions"]
        assert (told["session"], told["tenant"]) == (session.name, "alice")
        refused(sessions(server.address, token=ALICE), 1, "NOT_ADMIN", "an admin token")
        refused(sessions(server.address), 1, "UNAUTHENTICATED", "missing")
        refused(sessions(server.address, token="x" * 32), 1, "UNAUTHENTICATED", "does not know")
        # It looks after sessions, and drives none.
        with livnd.connect(server.address, token=ADMIN) as admin:
            assert admin.server_info().max_sessions == 64
            with pytest.raises(livnd.errors.UnauthenticatedError):
                admin.create_session("Null-v0", 1)
            with pytest.raises(livnd.errors.UnauthenticatedError):
                admin.call("GetSession", pb.GetSessionRequest(session=session.name))
        token_file = secret(tmp_path / "token", f"{ADMIN}\n")
        assert listed(server.address, "--token-file", token_file, "--end", session.name)["ended"]
        for token in (ADMIN, ALICE):
            assert token not in server.log()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), ["expected one address"]),
        (("a", "b"), ["expected one address"]),
        (("nonsense",), ["INVALID_FIELD", "nonsense"]),
        (("unix:s", "--frobnicate"), ["frobnicate"]),
        (("unix:s", "--token-file", "/nowhere/token"), ["INVALID_FIELD", "token_file"]),
        (("unix:s", "--tls-ca", "/nowhere/ca"), ["INVALID_FIELD", "tls_ca"]),
    ],
)
def test_a_wrong_command_line_is_told_in_one_line(arguments, words):
    refused(sessions(*arguments), 2, *words)


def test_nobody_there(tmp_path):
    refused(sessions(f"unix:{tmp_path}/s", "--timeout", "200ms"), 1, f"unix:{tmp_path}/s")
