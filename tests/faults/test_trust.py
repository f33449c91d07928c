"""Whom a server trusts: its files of TLS and tokens, whose sessions are whose, what is refused."""

from __future__ import annotations

import json
import os
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import livnd
import numpy as np
import pytest
from certificates import Authority, Pair
from livnd._proto import METHODS, pb
from serving import LIVND, SYSTEMS, Serve

ALICE = "alice.0123456789abcdef0123456789abcdef"
BOB = "bob.456789abcdef0123456789abcdef0123"
CAROL = "carol.89abcdef0123456789abcdef01234567"
ACTIONS = np.zeros((2, 8), np.float32)  # of two copies of Null-v0
PLAIN = ["--bench-environments", "--threads", "1"]
REFLECTION = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch):
    for name in ("TOKEN", "TOKEN_FILE", "TLS_CA", "TLS_CERT", "TLS_KEY"):
        monkeypatch.delenv(f"LIVND_{name}", raising=False)


@pytest.fixture(scope="module")
def authority(tmp_path_factory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


def written(path: Path, text: str | bytes, mode: int = 0o600) -> Path:
    """A file that comes with its whole content."""
    new = path.with_suffix(".new")
    new.write_bytes(text.encode() if isinstance(text, str) else text)
    new.chmod(mode)
    new.rename(path)
    return path


def tls(pair: Pair) -> list[str]:
    return ["--tls-cert", str(pair.cert), "--tls-key", str(pair.key)]


def refusal(*flags: str) -> str:
    """The one line of a server that does not start."""
    with Serve(*flags, listen=False) as server:
        assert server.ready is None
        assert server.process.wait(60) == 1
        (line,) = server.log().splitlines()
        return line


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)


# --- beyond this machine --------------------------------------------------------------------------


def test_beyond_this_machine_callers_must_show_something(authority, tmp_path):
    beyond = ["--listen", "0.0.0.0:0", "--threads", "1"]
    pair = authority.sign()
    tokens = written(tmp_path / "tokens", f"{ALICE} alice\n")

    line = refusal(*beyond)
    for word in ("0.0.0.0:0", "--tls-client-ca", "--tokens", "--allow-insecure-remote"):
        assert word in line
    assert "although TLS encrypts" in refusal(*beyond, *tls(pair))

    # Each is one way, and the log says what is left open.
    with Serve(*beyond, *tls(pair), "--tls-client-ca", str(authority.cert), listen=False) as server:
        assert server.ready and "TLS with client certificates" in server.log()
        assert "in clear" not in server.log()
    with Serve(*beyond, *tls(pair), "--tokens", str(tokens), listen=False) as server:
        assert server.ready and "TLS, 1 token(s) of 1 tenant(s)" in server.log()
        assert "in clear" not in server.log()
    with Serve(*beyond, "--tokens", str(tokens), listen=False) as server:
        assert server.ready and " warn " in server.log()
        assert "can take tokens" in server.log()
    with Serve(*beyond, "--allow-insecure-remote", listen=False) as server:
        assert server.ready and "nobody is asked who they are" in server.log()


def test_metrics_are_never_shown_to_others_by_tokens(tmp_path):
    tokens = written(tmp_path / "tokens", f"{ALICE} alice\n")
    line = refusal("--listen", "unix:s", "--metrics-listen", "0.0.0.0:0", "--tokens", str(tokens))
    assert "0.0.0.0:0" in line and "--allow-insecure-remote" in line


# --- files ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["--tls-cert"], ["tls-cert is '", "tls-key not given", "tls-client-ca not given"]),
        (["--tls-key"], ["tls-cert is not given", "tls-key '"]),
        (["--tls-client-ca"], ["tls-client-ca '", "accepted: none, tls-cert and tls-key, or all"]),
        (["--tls-client-ca", "--tls-cert"], ["tls-key not given"]),
    ],
)
def test_files_of_tls_go_together(authority, given, words):
    flags = [word for flag in given for word in (flag, str(authority.cert))]
    line = refusal("--listen", "unix:s", *flags)
    assert all(word in line for word in words), line


@pytest.mark.parametrize("flag", ["--tls-cert", "--tls-key", "--tls-client-ca", "--tokens"])
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, ["No such file"]),
        (b"", []),
        (b"garbage \xff\x00\x1b[2J in words", []),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", []),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", []),
        (b"x" * (2 << 20), ["larger than that", "at most"]),
    ],
    ids=["absent", "empty", "garbage", "no certificate", "no key", "long"],
)
def test_a_file_that_cannot_be_used_is_named(authority, tmp_path, flag, content, words):
    path = tmp_path / "file"
    if content is not None:
        written(path, content)
    pair = authority.sign()
    files = {"--tls-cert": pair.cert, "--tls-key": pair.key, flag: path}
    flags = [word for name, file in files.items() for word in (name, str(file))]
    line = refusal("--listen", "unix:s", *flags)
    assert all(word in line for word in [str(path), " is ", "; accepted: ", *words]), line
    assert "\x1b" not in line and len(line) < 1000


@pytest.mark.parametrize("flag", ["--tls-key", "--tokens"])
@pytest.mark.parametrize("mode", [0o604, 0o644, 0o660, 0o666])
def test_a_secret_that_others_can_read_is_refused(authority, tmp_path, flag, mode):
    pair = authority.sign()
    tokens = written(tmp_path / "tokens", f"{ALICE} alice\n")
    secret = pair.key if flag == "--tls-key" else tokens
    secret.chmod(mode)
    line = refusal("--listen", "unix:s", *tls(pair), "--tokens", str(tokens))
    assert f"{secret}: mode is {mode:04o}; accepted: 06" in line


def test_other_certificates_that_are_refused(authority, tmp_path):
    pair, other = authority.sign(), authority.sign()
    line = refusal("--listen", "unix:s", *tls(Pair(pair.cert, other.key)))
    assert f"{other.key} is not the key of the first certificate" in line
    expired = authority.sign(days=-1)
    line = refusal("--listen", "unix:s", *tls(expired))
    assert f"{expired.cert} is expired since" in line and "valid now" in line

    locked = tmp_path / "locked.key"
    command = ["openssl", "ec", "-in", pair.key, "-aes256", "-passout", "pass:abcd", "-out", locked]
    subprocess.run(command, check=True, capture_output=True)
    locked.chmod(0o600)
    assert "without a password" in refusal("--listen", "unix:s", *tls(Pair(pair.cert, locked)))

    weak = Pair(tmp_path / "weak.pem", tmp_path / "weak.key")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:1024", "-nodes", "-subj", "/CN=weak"]
    subprocess.run(
        [*command, "-keyout", weak.key, "-out", weak.cert], check=True, capture_output=True
    )
    weak.key.chmod(0o600)
    assert f"{weak.cert} is refused (" in refusal("--listen", "unix:s", *tls(weak))


def test_no_error_of_tokens_shows_one(tmp_path):
    for text, words in (
        (f"{ALICE} alice\n{BOB}\n", [":2: the line is 1 word(s); accepted: two: TOKEN TENANT"]),
        (f"{ALICE} alice\n{ALICE} bob\n", [":2: the token is there already; accepted: once (line"]),
        (f"# only\n{ALICE[:31]} alice\n", [":2: the token is 31 characters; accepted: 32 .. 512"]),
        (f"{ALICE} {BOB}\n", [":1: the tenant's name is ", "accepted: 1 .. 31 letters"]),
    ):
        path = written(tmp_path / "tokens", text)
        line = refusal("--listen", "unix:s", "--tokens", str(path))
        assert all(word in line for word in [str(path), *words]), line
        assert "0123456789abcdef" not in line


# --- tenants --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shared(tmp_path_factory) -> Iterator[Serve]:
    """A server of three tenants, on a socket."""
    text = f"# tenants\n{ALICE} alice\n{BOB} bob\n{CAROL} carol\n"
    tokens = written(tmp_path_factory.mktemp("tokens") / "tokens", text)
    with Serve(*PLAIN, "--tokens", str(tokens), "--max-sessions", "8") as server:
        yield server
        for token in (ALICE, BOB, CAROL):
            assert token not in server.log()


def requests(session: str) -> dict[str, object]:
    """A request for every call that names a session."""
    return {
        "Reset": pb.ResetRequest(session=session, op_index=1),
        "Step": pb.StepRequest(session=session, op_index=1),
        "Observe": pb.ObserveRequest(session=session),
        "Render": pb.RenderRequest(session=session),
        "GetCulture": pb.GetCultureRequest(session=session),
        "Configure": pb.ConfigureRequest(session=session, op_index=1),
        "Run": pb.RunRequest(session=session, op_index=1),
        "Clear": pb.ClearRequest(session=session, op_index=1),
        "Snapshot": pb.SnapshotRequest(session=session),
        "Restore": pb.RestoreRequest(session=session, op_index=1),
        "StartRecording": pb.StartRecordingRequest(session=session, op_index=1),
        "StopRecording": pb.StopRecordingRequest(session=session, op_index=1),
        "Fork": pb.ForkRequest(session=session, request_id="f", num_sessions=1),
        "GetSession": pb.GetSessionRequest(session=session),
        "AttachSession": pb.AttachSessionRequest(session=session),
        "RenewLease": pb.RenewLeaseRequest(session=session),
        "DeleteSession": pb.DeleteSessionRequest(session=session),
    }


def test_the_requests_are_all_that_name_a_session():
    fields = {m: getattr(pb, f"{m}Request").DESCRIPTOR.fields_by_name for m in METHODS}
    named = {method for method, names in fields.items() if "session" in names}
    # EndSession is no tenant's, and of a session that there is not, nothing is listed.
    assert named - {"EndSession", "ListRecordings"} == set(requests("x"))


def test_another_tenants_session_does_not_exist(shared):
    with (
        livnd.connect(shared.address, token=ALICE) as alice,
        livnd.connect(shared.address, token=BOB) as bob,
    ):
        session = alice.create_session("Null-v0", 2, request_id="one")
        session.reset([1, 2])
        for method, request in requests(session.name).items():
            with pytest.raises(livnd.errors.UnknownSessionError) as caught:
                bob.call(method, request)
            assert caught.value.metadata["value"] == session.name
        missing = pb.DeleteSessionRequest(session=session.name, allow_missing=True)
        bob.call("DeleteSession", missing)
        session.step(ACTIONS)

        # The same request_id is each tenant's own, also with another payload.
        of_bob = bob.create_session("Null-v0", 1, request_id="one")
        assert of_bob.name != session.name
        again = alice.create_session("Null-v0", 2, request_id="one")
        assert again.name == session.name
        assert "tenant=alice" in shared.log() and "tenant=bob" in shared.log()
        with pytest.raises(livnd.errors.PayloadMismatchError):
            bob.create_session("Null-v0", 2, request_id="one")
        fork = pb.ForkRequest(session=of_bob.name, request_id="one", num_sessions=1)
        (forked,) = bob.call("Fork", fork).sessions
        with pytest.raises(livnd.errors.UnknownSessionError):
            alice.call("Observe", pb.ObserveRequest(session=forked.session))
        bob.call("DeleteSession", pb.DeleteSessionRequest(session=forked.session))


def test_a_full_server_does_not_tell_a_tenant_what_others_do(shared):
    with (
        livnd.connect(shared.address, token=ALICE) as alice,
        livnd.connect(shared.address, token=CAROL) as carol,
    ):
        of_carol = carol.create_session("Null-v0", 3)
        of_alice = [alice.create_session("Null-v0", 2) for _ in range(7)]
        assert len(of_alice) == 7  # and held
        with pytest.raises(livnd.errors.CapacityError) as caught:
            carol.create_session("Null-v0")
        holders = caught.value.metadata["holders"]
        assert "1 of Null-v0 (3 copies" in holders and "7 of other tenants" in holders
        of_carol.close()


def test_two_tokens_of_a_tenant_see_the_same_sessions(tmp_path):
    tokens = written(tmp_path / "tokens", f"{ALICE} lab\n{BOB} lab\n")
    with (
        Serve(*PLAIN, "--tokens", str(tokens)) as server,
        livnd.connect(server.address, token=ALICE) as one,
        livnd.connect(server.address, token=BOB) as other,
    ):
        session = one.create_session("Null-v0")
        session.reset([1])
        assert other.call("Observe", pb.ObserveRequest(session=session.name)).next_op_index == 2


# --- which calls need a token ---------------------------------------------------------------------


def reason_of(error: grpc.RpcError) -> str:
    return livnd.errors.from_rpc_error(error, "call").reason


def call(address: str, method: str, metadata: list[tuple[str, str | bytes]]) -> str:
    """What a call without a message comes to: a reason, "" for an answer."""
    with grpc.insecure_channel(address) as channel:
        try:
            if method == REFLECTION:
                request = b"\x3a\x00"  # list_services: ""
                next(channel.stream_stream(method)(iter([request]), timeout=30, metadata=metadata))
            else:
                channel.unary_unary(method)(b"", timeout=30, metadata=metadata)
        except grpc.RpcError as error:
            return reason_of(error)
    return ""


def test_health_alone_needs_no_token(shared):
    done = subprocess.run([LIVND, "health", shared.address], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert call(shared.address, "/grpc.health.v1.Health/Check", []) == ""
    with_token = [("authorization", f"Bearer {ALICE}")]
    for method, allowed in {
        "/livnd.v1.ServerService/GetServerInfo": "",
        "/livnd.v1.ServerService/ListSystems": "",
        "/livnd.v1.EnvironmentService/ListEnvironments": "",
        "/livnd.v1.SessionService/CreateSession": "INVALID_FIELD",
        "/livnd.v1.EnvironmentService/Step": "UNKNOWN_SESSION",
        "/livnd.v1.CultureService/Run": "UNKNOWN_SESSION",
        "/livnd.v1.ServerService/NoSuchMethod": "UNKNOWN_METHOD",
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo": "",
        REFLECTION: "",
    }.items():
        if "v1alpha" not in method:
            assert call(shared.address, method, with_token) == allowed, method
        assert call(shared.address, method, []) == "UNAUTHENTICATED", method


@pytest.mark.parametrize(
    "metadata",
    [
        [("authorization", ALICE)],
        [("authorization", f"Basic {ALICE}")],
        [("authorization", "Bearer ")],
        [("authorization", "Bearer")],
        [("authorization", "")],
        [("authorization", f"Bearer {ALICE}x")],
        [("authorization", f"Bearer {ALICE[:-1]}")],
        [("authorization", f"Bearer {ALICE} {ALICE}")],
        [("authorization", f"Bearer {'x' * 4000}")],
        [("authorization", f"Bearer {ALICE}"), ("authorization", f"Bearer {BOB}")],
        [("authorization", f"Bearer {ALICE}"), ("authorization", f"Bearer {ALICE}")],
        [("authorization-bin", f"Bearer {ALICE}".encode())],
        [("x-authorization", f"Bearer {ALICE}")],
    ],
)
def test_what_is_no_good_token(shared, metadata):
    method = "/livnd.v1.ServerService/GetServerInfo"
    assert call(shared.address, method, metadata) == "UNAUTHENTICATED"


def test_the_scheme_is_written_in_any_case(shared):
    method = "/livnd.v1.ServerService/GetServerInfo"
    for scheme in ("bearer", "BEARER", "Bearer "):
        assert call(shared.address, method, [("authorization", f"{scheme} {ALICE}")]) == ""


def test_a_message_is_not_looked_at_before_the_token(shared):
    with grpc.insecure_channel(shared.address) as channel:
        step = channel.unary_unary("/livnd.v1.EnvironmentService/Step")
        with pytest.raises(grpc.RpcError) as caught:
            step(b"\xff" * 100, timeout=30)
        assert reason_of(caught.value) == "UNAUTHENTICATED"


def test_a_server_without_tokens_overlooks_them():
    with Serve(*PLAIN) as server, livnd.connect(server.address, token=ALICE) as client:
        assert client.systems()


# --- files that change ----------------------------------------------------------------------------


def knows(address: str, token: str) -> bool:
    with livnd.connect(address, token=token) as client:
        try:
            return bool(client.systems())
        except livnd.errors.UnauthenticatedError:
            return False


def test_tokens_come_and_go_while_the_server_runs(tmp_path):
    tokens = written(tmp_path / "tokens", f"{ALICE} alice\n")
    with (
        Serve(*PLAIN, "--tokens", str(tokens)) as server,
        livnd.connect(server.address, token=ALICE) as alice,
    ):
        session = alice.create_session("Null-v0")
        session.reset([1])
        assert not knows(server.address, BOB)
        written(tokens, f"{ALICE} alice\n{BOB} bob\n")
        until(lambda: knows(server.address, BOB))
        session.step(ACTIONS[:1])

        # What is of no use changes nothing, and the log says why, once.
        for garbage, mode in ((b"\xff\xfe", 0o600), (b"", 0o600), (BOB.encode(), 0o644)):
            written(tokens, garbage, mode)
            before = server.log().count("stay as they were")
            until(lambda before=before: server.log().count("stay as they were") > before)
            assert knows(server.address, ALICE) and knows(server.address, BOB)
        os.unlink(tokens)
        until(lambda: "No such file" in server.log())
        time.sleep(3)
        assert server.log().count("No such file") == 1
        session.step(ACTIONS[:1])

        written(tokens, f"{BOB} bob\n")
        until(lambda: not knows(server.address, ALICE))
        with pytest.raises(livnd.errors.UnauthenticatedError):
            session.step(ACTIONS[:1])
        assert knows(server.address, BOB)
        written(tokens, f"{ALICE} alice\n")
        until(lambda: knows(server.address, ALICE))
        session.step(ACTIONS[:1])
        assert session.next_op_index == 5


def shown_certificate(address: str) -> str:
    host, _, port = address.rpartition(":")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    with (
        socket.create_connection((host, int(port)), 30) as plain,
        context.wrap_socket(plain) as connection,
    ):
        return ssl.DER_cert_to_PEM_cert(connection.getpeercert(binary_form=True)).strip()


def test_certificates_are_renewed_while_clients_are_connected(authority, tmp_path):
    old, new = authority.sign(), authority.sign()
    cert = written(tmp_path / "cert.pem", old.cert.read_bytes())
    key = written(tmp_path / "key.pem", old.key.read_bytes())

    def shows(pair: Pair) -> bool:
        return shown_certificate(server.address) in pair.cert.read_text()

    with (
        Serve(*PLAIN, *tls(Pair(cert, key)), listen="127.0.0.1:0") as server,
        livnd.connect(server.address, tls_ca=str(authority.cert)) as client,
    ):
        session = client.create_session("Null-v0")
        session.reset([1])
        assert shows(old)
        # Half of the pair is not taken; the other half of another pair, or garbage, neither.
        written(cert, new.cert.read_bytes())
        until(lambda: "not the key of the first certificate" in server.log())
        assert shows(old)
        written(key, b"garbage")
        until(lambda: "no key" in server.log())
        assert shows(old)
        written(key, new.key.read_bytes())
        until(lambda: shows(new))
        session.step(ACTIONS[:1])  # the connection is the old one
        with livnd.connect(server.address, tls_ca=str(authority.cert)) as another:
            assert another.systems()
        assert "BEGIN" not in server.log()


def test_the_cas_of_clients_are_renewed(authority, tmp_path):
    others = Authority(tmp_path, "others")
    ca = written(tmp_path / "clients.pem", authority.cert.read_bytes())
    server_pair, ours, theirs = authority.sign(), authority.sign(), others.sign()

    def lets_in(pair: Pair) -> bool:
        files = {"tls_cert": str(pair.cert), "tls_key": str(pair.key)}
        with livnd.connect(
            server.address, tls_ca=str(authority.cert), connect_timeout_s=2, retry_s=0, **files
        ) as client:
            try:
                return bool(client.systems())
            except livnd.errors.ServerUnavailableError:
                return False

    flags = [*tls(server_pair), "--tls-client-ca", str(ca)]
    with Serve(*PLAIN, *flags, listen="127.0.0.1:0") as server:
        assert lets_in(ours) and not lets_in(theirs)
        written(ca, authority.cert.read_bytes() + others.cert.read_bytes())
        until(lambda: lets_in(theirs))
        assert lets_in(ours)
        written(ca, others.cert.read_bytes())
        until(lambda: not lets_in(ours))
        assert lets_in(theirs)


# --- livnd health ---------------------------------------------------------------------------------


def health(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [str(LIVND), "health", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("listen", ["127.0.0.1:0", True])
def test_health_is_asked_with_tls(authority, tmp_path, monkeypatch, listen):
    mine, stranger = authority.sign("mine"), Authority(tmp_path, "others")
    flags = [*tls(authority.sign()), "--tls-client-ca", str(authority.cert)]
    with Serve(*PLAIN, *flags, listen=listen) as server:
        asked = [server.address, "--tls-ca", authority.cert]
        shown = ["--tls-cert", mine.cert, "--tls-key", mine.key]
        assert health(*asked, *shown).returncode == 0
        assert json.loads(health(*asked, *shown, "--json").stdout)["serving"]
        for arguments in (
            [server.address],
            asked,
            [server.address, "--tls-ca", stranger.cert, *shown],
        ):
            done = health(*arguments, "--timeout", "3s")
            assert done.returncode == 1 and "no livnd server answers" in done.stderr, done.stderr

        monkeypatch.setenv("LIVND_TLS_CA", str(authority.cert))
        monkeypatch.setenv("LIVND_TLS_CERT", str(mine.cert))
        monkeypatch.setenv("LIVND_TLS_KEY", str(mine.key))
        assert health(server.address).returncode == 0
        done = health(server.address, "--tls-ca", stranger.cert, "--timeout", "3s")
        assert done.returncode == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--tls-ca", "/nowhere"], ["/nowhere", "No such file"]),
        (["--tls-ca", "{cert}", "--tls-cert", "{cert}"], ["tls-key (LIVND_TLS_KEY) not given"]),
        (["--tls-cert", "{cert}", "--tls-key", "{key}"], ["tls-ca (LIVND_TLS_CA) is not given"]),
        (["--tls-ca", "{key}"], ["{key} is without a certificate"]),
        (["--tls-ca", "{cert}", "--tls-cert", "{cert}", "--tls-key", "{cert}"], ["is no key"]),
    ],
)
def test_health_says_which_file_of_tls_is_wrong(authority, arguments, words):
    pair = authority.sign()
    names = {"cert": str(pair.cert), "key": str(pair.key)}
    done = health("127.0.0.1:1", *(word.format(**names) for word in arguments))
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert all(word.format(**names) in line for word in words), line


# --- settings -------------------------------------------------------------------------------------


def test_the_config_file_takes_them(authority, tmp_path):
    pair = authority.sign()
    tokens = written(tmp_path / "tokens", f"{ALICE} alice\n")
    config = tmp_path / "livnd.yaml"
    config.write_text(
        f"tls-cert: {pair.cert}\ntls-key: {pair.key}\ntls-client-ca: {authority.cert}\n"
        f"tokens: {tokens}\nthreads: 1\n"
    )
    options = {"tls_ca": str(authority.cert), "tls_cert": str(pair.cert), "tls_key": str(pair.key)}
    with (
        Serve("--config", str(config), listen="127.0.0.1:0") as server,
        livnd.connect(server.address, token=ALICE, **options) as client,
    ):
        assert client.systems() == sorted(p.name for p in SYSTEMS.iterdir() if p.is_dir())
