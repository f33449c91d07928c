"""Addresses as users write them, and the proxies of the environment."""

from __future__ import annotations

import livnd
import pytest
from livnd import addresses, errors

VARIABLES = ("grpc_proxy", "https_proxy", "http_proxy", "no_grpc_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    "address",
    [
        *("", "unix:", "unix:a\0b", "localhost", "localhost:", ":80", "a:b", 80),
        *("::1:80", "[::1]", "[x]:80", "a:65536", "dns:///a:80", "a b:80", "a#b:80"),
    ],
)
def test_what_is_no_address_is_refused_at_once(address):
    with pytest.raises(errors.InvalidFieldError, match="unix:PATH") as caught:
        livnd.connect(address)
    assert caught.value.field == "address"


def test_a_path_that_no_socket_can_have_is_refused_at_once():
    with pytest.raises(errors.InvalidFieldError, match="107 bytes"):
        livnd.connect("unix:/" + "x" * 200)


@pytest.mark.parametrize("address", ["unix:a,b", "unix:/a,b/s", "unix:/a,"])
def test_a_comma_in_a_path_is_refused_because_grpc_would_split_the_path_there(address):
    with pytest.raises(errors.InvalidFieldError, match="comma") as caught:
        livnd.connect(address)
    assert (caught.value.field, caught.value.value) == ("address", address)
    assert addresses.parse("unix:/a,b/../c").target == "unix:/c"


def test_paths_are_quoted_for_grpc():
    assert addresses.parse("unix:/a/b.sock").target == "unix:/a/b.sock"
    assert addresses.parse("unix:///a/../b~c").target == "unix:/b~c"
    assert addresses.parse("unix:/a#b?c%d e").target == "unix:/a%23b%3Fc%25d%20e"
    assert addresses.parse("unix:/é").target == "unix:/%C3%A9"
    assert addresses.parse("[::1]:5005").host == "::1"


@pytest.mark.parametrize(
    "address",
    ["unix:/a", "localhost:1", "LocalHost:1", "127.0.0.1:1", "127.9.9.9:1", "[::1]:1"],
)
def test_this_machine_is_called_without_a_proxy_however_it_is_spelled(address, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://proxy:3128")
    assert addresses.parse(address).proxy_variable() == ""


def test_others_are_called_through_the_proxy_unless_the_environment_spares_them(monkeypatch):
    lab = addresses.parse("Lab.Example.org:5005")
    for variable, value, expected in (
        (None, None, ""),
        ("http_proxy", "http://proxy:3128", "http_proxy"),
        ("grpc_proxy", "http://proxy:3128", "grpc_proxy"),
        ("no_proxy", "other.org, lab.EXAMPLE.org", ""),
        ("no_grpc_proxy", "other.org", "grpc_proxy"),
    ):
        if variable:
            monkeypatch.setenv(variable, value)
        assert lab.proxy_variable() == expected


def test_when_nobody_answers_the_proxy_is_named(monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    client = livnd.connect("lab.example.org:5005", connect_timeout_s=0.1)
    with pytest.raises(errors.ServerUnavailableError, match="no_proxy") as caught:
        client.server_info()
    for part in ("at lab.example.org:5005", "http_proxy", "http://127.0.0.1:1"):
        assert part in str(caught.value)
    assert not caught.value.in_doubt
    client = livnd.connect("LOCALHOST:1", connect_timeout_s=0.1)
    with pytest.raises(errors.ServerUnavailableError) as caught:
        client.server_info()
    assert "proxy" not in str(caught.value)
