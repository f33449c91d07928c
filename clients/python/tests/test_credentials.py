"""Tokens and files of TLS: where they come from, and who does not get to read them."""

from __future__ import annotations

import copy
import os
import pickle
from collections.abc import Iterator
from pathlib import Path

import gymnasium
import livnd
import pytest
from certificates import Authority
from livnd.credentials import NONE, Credentials
from livnd.errors import InvalidFieldError, UnauthenticatedError
from serving import Serve

TOKEN = "alice.0123456789abcdef0123456789abcdef"
VARIABLES = ("TOKEN", "TOKEN_FILE", "TLS_CA", "TLS_CERT", "TLS_KEY")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch):
    for name in VARIABLES:
        monkeypatch.delenv(f"LIVND_{name}", raising=False)


@pytest.fixture(scope="module")
def authority(tmp_path_factory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def token_file(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("token") / "token"
    path.write_text(f"{TOKEN}\n")
    return path


@pytest.fixture(scope="module")
def guarded(authority, tmp_path_factory) -> Iterator[Serve]:
    """A server with TLS that asks for tokens."""
    tokens = tmp_path_factory.mktemp("tokens") / "tokens"
    tokens.write_text(f"{TOKEN} alice\n")
    tokens.chmod(0o600)
    pair = authority.sign()
    flags = ["--tls-cert", str(pair.cert), "--tls-key", str(pair.key), "--tokens", str(tokens)]
    with Serve(*flags, "--threads", "1", listen="127.0.0.1:0") as server:
        yield server


@pytest.mark.parametrize("field", ["token", "token_file", "tls_ca", "tls_cert", "tls_key"])
@pytest.mark.parametrize("value", [1, b"bytes", ["a"], "\ud800"])
def test_what_is_no_text_is_refused_at_once(field, value):
    with pytest.raises(InvalidFieldError) as caught:
        livnd.connect("127.0.0.1:1", **{field: value})
    assert caught.value.field == field


@pytest.mark.parametrize("field", ["token", "token_file", "tls_ca", "tls_cert", "tls_key"])
def test_an_own_server_takes_none_of_them(field):
    with pytest.raises(InvalidFieldError) as caught:
        livnd.connect(**{field: TOKEN})
    assert caught.value.field == field
    assert caught.value.accepted == "None without an address"
    assert field != "token" or TOKEN not in str(caught.value)
    livnd.connect(**{field: ""})


def test_an_own_server_is_shown_nothing_of_the_environment(monkeypatch):
    for name in VARIABLES:
        monkeypatch.setenv(f"LIVND_{name}", "/nowhere with spaces")
    with livnd.connect(threads=1) as client:
        assert client.systems()


def test_arguments_come_before_the_environment(monkeypatch, token_file):
    monkeypatch.setenv("LIVND_TOKEN", "of-the-environment")
    assert Credentials.parse().read_token() == "of-the-environment"
    assert Credentials.parse(token="given").read_token() == "given"
    assert Credentials.parse(token="").read_token() == ""
    assert Credentials.parse(token_file=str(token_file)).read_token() == TOKEN
    assert NONE.read_token() == ""
    monkeypatch.setenv("LIVND_TOKEN", "")
    assert Credentials.parse().read_token() == ""
    monkeypatch.setenv("LIVND_TOKEN_FILE", str(token_file))
    assert Credentials.parse().read_token() == TOKEN
    monkeypatch.setenv("LIVND_TOKEN", "of-the-environment")
    with pytest.raises(InvalidFieldError) as caught:
        Credentials.parse().read_token()
    assert caught.value.field == "LIVND_TOKEN_FILE"
    assert "LIVND_TOKEN" in caught.value.accepted
    assert "of-the-environment" not in str(caught.value)


def test_paths_are_those_of_where_they_were_given(monkeypatch, tmp_path, token_file):
    monkeypatch.chdir(token_file.parent)
    credentials = Credentials.parse(token_file="token")
    monkeypatch.chdir(tmp_path)
    assert credentials.read_token() == TOKEN


def test_files_of_tls_are_read_when_they_are_needed(authority, monkeypatch):
    pair = authority.sign()
    assert Credentials.parse().read_tls() is None
    monkeypatch.setenv("LIVND_TLS_CA", str(authority.cert))
    assert Credentials.parse(tls_ca="").read_tls() is None
    assert Credentials.parse().read_tls() == (authority.cert.read_bytes(), None, None)
    shown = Credentials.parse(tls_cert=str(pair.cert), tls_key=str(pair.key)).read_tls()
    assert shown == (authority.cert.read_bytes(), pair.cert.read_bytes(), pair.key.read_bytes())


def test_a_token_is_in_no_text_of_a_client():
    client = livnd.connect("127.0.0.1:1", token=TOKEN, connect_timeout_s=0.1, retry_s=0)
    with pytest.raises(livnd.errors.ServerUnavailableError) as caught:
        client.systems()
    shown = [repr(client), str(client), str(caught.value), repr(caught.value)]
    shown.append(repr(Credentials.parse(token=TOKEN)))
    assert not any(TOKEN in text for text in shown)


def copies(thing: object) -> list[object]:
    return [copy.deepcopy(thing), pickle.loads(pickle.dumps(thing))]


def test_a_pickle_holds_where_the_token_comes_from(guarded, authority, token_file, monkeypatch):
    tls = {"tls_ca": str(authority.cert)}
    with livnd.connect(guarded.address, token_file=str(token_file), **tls) as client:
        assert client.systems()
        pickled = pickle.dumps(client)
        assert TOKEN.encode() not in pickled and str(token_file).encode() in pickled
        for again in copies(client):
            assert again.systems()
            again.close()

    monkeypatch.setenv("LIVND_TOKEN", TOKEN)
    with livnd.connect(guarded.address, **tls) as client:
        assert client.systems()
        pickled = pickle.dumps(client)
        assert TOKEN.encode() not in pickled
        monkeypatch.delenv("LIVND_TOKEN")
        with pickle.loads(pickled) as elsewhere, pytest.raises(UnauthenticatedError):
            elsewhere.systems()

    # What was given as text goes along.
    with livnd.connect(guarded.address, token=TOKEN, **tls) as client:
        for again in copies(client):
            assert again.systems()
            again.close()


def test_environments_take_what_clients_take(guarded, authority, token_file, monkeypatch):
    show = {"address": guarded.address, "tls_ca": str(authority.cert)}
    with_file = {**show, "token_file": str(token_file)}
    env = gymnasium.make("livnd/TargetRate-EI-mini-v0", **with_file)
    observation, _ = env.reset(seed=1)
    assert TOKEN not in env.spec.to_json() and str(token_file) in env.spec.to_json()
    assert TOKEN.encode() not in pickle.dumps(env)
    for again in copies(env):
        assert again.step(again.action_space.sample())
        again.close()
    env.close()

    envs = gymnasium.make_vec("livnd/TargetRate-EI-mini-v0", num_envs=2, **with_file)
    observations, _ = envs.reset(seed=1)
    assert (observations[0] == observation).all()
    envs.close()

    with livnd.make("EI-mini", **with_file) as culture:
        culture.run(1)

    monkeypatch.setenv("LIVND_TOKEN_FILE", str(token_file))
    monkeypatch.setenv("LIVND_TLS_CA", str(authority.cert))
    env = gymnasium.make("livnd/TargetRate-EI-mini-v0", address=guarded.address)
    env.reset(seed=1)
    env.close()
    os.environ.pop("LIVND_TOKEN_FILE")
    with pytest.raises(UnauthenticatedError):
        gymnasium.make("livnd/TargetRate-EI-mini-v0", address=guarded.address)


def test_an_unknown_argument_of_an_environment_is_refused():
    with pytest.raises(TypeError, match="nonsense"):
        gymnasium.make("livnd/TargetRate-EI-mini-v0", nonsense=1)
