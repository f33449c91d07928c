"""What clients show of themselves and ask of a server: tokens, and TLS with certificates."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import livnd
import numpy as np
import pytest
from certificates import Authority
from relay import Relay
from serving import Serve

from conformance.drivers import Refused

ALICE = "alice.0123456789abcdef0123456789abcdef"
RENEWED = "alice.fedcba9876543210fedcba9876543210"
STRANGER = "nobody~0123456789abcdef0123456789abcdef"
ACTIONS = np.zeros((2, 8), np.float32)  # of two copies of Null-v0
VARIABLES = {
    "token": "LIVND_TOKEN",
    "token_file": "LIVND_TOKEN_FILE",
    "tls_ca": "LIVND_TLS_CA",
    "tls_cert": "LIVND_TLS_CERT",
    "tls_key": "LIVND_TLS_KEY",
}
IMPATIENT = {"connect_timeout_s": 1.0, "retry_s": 0.0}


def written(path: Path, text: str | bytes) -> Path:
    """A file that comes with its whole content, for its owner to read."""
    new = path.with_suffix(".new")
    new.write_bytes(text.encode() if isinstance(text, str) else text)
    new.chmod(0o600)
    new.rename(path)
    return path


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch):
    for variable in VARIABLES.values():
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> SimpleNamespace:
    """The files of a server that asks for everything, and what a client needs for it."""
    folder = tmp_path_factory.mktemp("trust")
    ours, others = Authority(folder, "ours"), Authority(folder, "others")
    client = ours.sign("client")
    return SimpleNamespace(
        folder=folder,
        ours=ours,
        others=others,
        server=ours.sign("server"),
        stranger=others.sign("stranger"),
        expired=ours.sign("expired", days=-1),
        tokens=written(folder / "tokens", f"{ALICE} alice\n"),
        options={
            "token": ALICE,
            "tls_ca": str(ours.cert),
            "tls_cert": str(client.cert),
            "tls_key": str(client.key),
        },
    )


def flags(made: SimpleNamespace) -> list[str]:
    return [
        *("--tls-cert", str(made.server.cert), "--tls-key", str(made.server.key)),
        *("--tls-client-ca", str(made.ours.cert), "--tokens", str(made.tokens)),
        *("--bench-environments", "--threads", "1"),
    ]


@pytest.fixture(scope="module")
def guarded(made) -> Iterator[Serve]:
    with Serve(*flags(made), listen="127.0.0.1:0") as server:
        yield server


@pytest.mark.parametrize("listen", ["127.0.0.1:0", "localhost:0", True])
def test_who_shows_what_is_asked_for_is_served(connect, made, listen):
    with Serve(*flags(made), listen=listen) as server:
        client = connect(server.address, **made.options)
        session = client.session("Null-v0", 2)
        session.reset([1, 2])
        for _ in range(3):
            session.step(ACTIONS)
        assert session.next_op_index == 5


def certificate(pair) -> dict[str, str]:
    return {"tls_cert": str(pair.cert), "tls_key": str(pair.key)}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda made: dict.fromkeys(("tls_ca", "tls_cert", "tls_key"), ""), ["without TLS"]),
        (lambda made: {"tls_ca": str(made.others.cert)}, ["verify failed"]),
        (lambda made: {"tls_cert": "", "tls_key": ""}, ["without a certificate"]),
        (lambda made: certificate(made.stranger), ["a certificate of the client's own"]),
        (lambda made: certificate(made.expired), ["a certificate of the client's own"]),
    ],
    ids=["no TLS", "wrong CA", "no certificate", "a stranger's certificate", "expired"],
)
def test_who_shows_no_good_certificate_gets_no_line(connect, guarded, made, change, words):
    with pytest.raises(Refused) as caught:
        connect(guarded.address, **made.options | change(made), **IMPATIENT).info()
    told = caught.value
    assert told.code in ("UNAVAILABLE", "DEADLINE_EXCEEDED")
    assert (told.reason, told.in_doubt) == ("", False)
    said = told.message.replace("_", " ").replace("VERIFY FAILED", "verify failed")
    assert all(word in said for word in [guarded.address, *words]), told.message
    assert ALICE not in told.message


def test_a_server_of_another_name_is_not_taken_for_this_one(connect, made):
    elsewhere = made.ours.sign("elsewhere", hosts="DNS:elsewhere.example.org")
    pair = ["--tls-cert", str(elsewhere.cert), "--tls-key", str(elsewhere.key)]
    with Serve(*pair, listen="127.0.0.1:0") as server, pytest.raises(Refused) as caught:
        connect(server.address, tls_ca=str(made.ours.cert), **IMPATIENT).info()
    assert caught.value.code in ("UNAVAILABLE", "DEADLINE_EXCEEDED")


@pytest.mark.parametrize(("token", "value"), [("", "missing"), (STRANGER, "does not know")])
def test_who_shows_no_good_token_is_told_so(connect, guarded, made, token, value):
    client = connect(guarded.address, **made.options | {"token": token})
    for call in (client.info, lambda: client.session("Null-v0")):
        with pytest.raises(Refused) as caught:
            call()
        told = caught.value
        assert (told.code, told.reason) == ("UNAUTHENTICATED", "UNAUTHENTICATED")
        assert not told.in_doubt
        assert told.metadata["field"] == "authorization"
        assert value in told.metadata["value"]
        assert "Bearer TOKEN" in told.metadata["accepted"]
        assert STRANGER not in told.message


def test_the_environment_says_what_arguments_leave_open(driver, guarded, made, monkeypatch):
    for name, value in made.options.items():
        monkeypatch.setenv(VARIABLES[name], value)
    with_environment = type(driver)()  # a process of its own, where it has one
    try:
        assert with_environment.connect(guarded.address).info().server_version
        with pytest.raises(Refused) as caught:
            with_environment.connect(guarded.address, token="").info()
        assert caught.value.reason == "UNAUTHENTICATED"
        with pytest.raises(Refused) as caught:
            with_environment.connect(guarded.address, token=STRANGER).info()
        assert caught.value.reason == "UNAUTHENTICATED"
        with Serve("--threads", "1") as plain:
            in_clear = dict.fromkeys(("tls_ca", "tls_cert", "tls_key"), "")
            assert with_environment.connect(plain.address, **in_clear).info().server_version
    finally:
        getattr(with_environment, "close", lambda: None)()


def test_the_environment_may_name_a_file_that_holds_the_token(
    driver, guarded, made, monkeypatch, tmp_path
):
    monkeypatch.setenv("LIVND_TOKEN_FILE", str(written(tmp_path / "token", f"\n {ALICE}\n")))
    without = {name: value for name, value in made.options.items() if name != "token"}
    with_environment = type(driver)()
    try:
        assert with_environment.connect(guarded.address, **without).info().server_version
    finally:
        getattr(with_environment, "close", lambda: None)()


@pytest.mark.parametrize("name", ["token_file", "tls_ca", "tls_cert", "tls_key"])
@pytest.mark.parametrize(
    "content",
    [
        None,
        b"",
        b"garbage \xff\x00 in two words",
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    ],
    ids=["absent", "empty", "garbage", "no certificate", "no key"],
)
@pytest.mark.parametrize("by", ["argument", "environment"])
def test_a_file_that_cannot_be_used_is_named(
    driver, guarded, made, monkeypatch, tmp_path, name, content, by
):
    path = tmp_path / "file"
    if content is not None:
        path.write_bytes(content)
    options = {k: v for k, v in made.options.items() if name != "token_file" or k != "token"}
    field = name
    client_driver = driver
    if by == "argument":
        options[name] = str(path)
    else:
        options.pop(name, None)
        field = VARIABLES[name]
        monkeypatch.setenv(field, str(path))
        client_driver = type(driver)()
    try:
        with pytest.raises(Refused) as caught:
            client_driver.connect(guarded.address, **options).info()
    finally:
        if by == "environment":
            getattr(client_driver, "close", lambda: None)()
    told = caught.value
    assert (told.code, told.reason, told.in_doubt) == ("INVALID_ARGUMENT", "INVALID_FIELD", False)
    assert told.metadata["field"].startswith(field)
    assert str(path) in told.message
    assert told.metadata["accepted"]


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"token": "two words"}, "token"),
        ({"token": ALICE + "\n"}, "token"),
        ({"token": "x" * 513}, "token"),
        ({"tls_cert": "c", "tls_ca": "a"}, "tls_key"),
        ({"tls_key": "k", "tls_ca": "a"}, "tls_cert"),
        ({"tls_key": "k", "tls_cert": "c"}, "tls_ca"),
        ({"token": ALICE, "token_file": "f"}, "token_file"),
    ],
)
def test_what_does_not_go_together_is_refused(connect, options, field):
    with pytest.raises(Refused) as caught:
        connect("127.0.0.1:1", **options).info()
    told = caught.value
    assert (told.code, told.reason, told.in_doubt) == ("INVALID_ARGUMENT", "INVALID_FIELD", False)
    assert told.metadata["field"] == field
    assert not any(token in told.message for token in ("two words", ALICE, "xxx"))


def test_keys_of_others_and_keys_with_a_password_are_refused(connect, guarded, made, tmp_path):
    locked = tmp_path / "locked.key"
    command = f"openssl ec -in {made.options['tls_key']} -aes256 -passout pass:abcd -out {locked}"
    assert os.system(f"{command} 2>/dev/null") == 0
    for key in (made.server.key, locked, made.ours.cert):
        with pytest.raises(Refused) as caught:
            connect(guarded.address, **made.options | {"tls_key": str(key)}).info()
        assert caught.value.metadata["field"] == "tls_key"
        assert str(key) in caught.value.message


def test_a_token_is_renewed_under_a_session(connect, made, tmp_path):
    tokens = written(tmp_path / "tokens", f"{ALICE} alice\n")
    mine = written(tmp_path / "mine", ALICE)
    server_flags = ["--tokens", str(tokens), "--bench-environments", "--threads", "1"]
    with Serve(*server_flags) as server:
        client = connect(server.address, token_file=str(mine))
        session, streamed = client.session("Null-v0"), client.session("Null-v0")
        stream = client.stream()
        for each in (session, streamed):
            each.reset([1])
        session.step(ACTIONS[:1])
        stream.send(streamed, ACTIONS[:1])
        expected = stream.recv()[1]
        written(tokens, f"{RENEWED} alice\n")
        until_refused(server.address, ALICE)
        with pytest.raises(Refused) as caught:
            session.step(ACTIONS[:1])
        assert caught.value.reason == "UNAUTHENTICATED"
        assert not caught.value.in_doubt
        stream.send(streamed, ACTIONS[:1])
        told = stream.recv()[1]
        assert told.reason == "UNAUTHENTICATED" and not told.in_doubt
        written(mine, RENEWED)
        # The stream asks for the token by itself, and so does a call.
        stream.send(streamed, ACTIONS[:1])
        told = stream.recv()[1]
        assert told["observations"].tobytes() == expected["observations"].tobytes()
        session.step(ACTIONS[:1])
        assert session.next_op_index == streamed.next_op_index == 4
        stream.close()


def until_refused(address: str, token: str) -> None:
    """Returns once the server does not know the token any more."""
    with livnd.connect(address, token=token) as client:
        deadline = time.monotonic() + 60
        try:
            while time.monotonic() < deadline:
                client.systems()
                time.sleep(0.1)
        except livnd.errors.UnauthenticatedError:
            return
    raise AssertionError("the server still knows the token")


def test_certificates_are_renewed_when_the_line_breaks(connect, guarded, made, tmp_path):
    """The server moves to another CA, and so does what the client shows."""
    ca = written(tmp_path / "ca", made.ours.cert.read_bytes())
    cert = written(tmp_path / "cert", Path(made.options["tls_cert"]).read_bytes())
    key = written(tmp_path / "key", Path(made.options["tls_key"]).read_bytes())
    files = {"tls_ca": str(ca), "tls_cert": str(cert), "tls_key": str(key)}
    theirs, ours_now = made.others.sign("server"), made.others.sign("client")
    other = [
        *("--tls-cert", str(theirs.cert), "--tls-key", str(theirs.key)),
        *("--tls-client-ca", str(made.others.cert), "--tokens", str(made.tokens)),
    ]
    with Serve(*other, listen="127.0.0.1:0") as moved, Relay(guarded.address) as relay:
        client = connect(relay.address, token=ALICE, **files, retry_s=60)
        assert client.systems()
        relay.upstream = moved.address
        relay.cut()
        written(ca, made.others.cert.read_bytes())
        written(key, ours_now.key.read_bytes())
        written(cert, ours_now.cert.read_bytes())
        assert client.systems()
