"""Where a server may be, by the same rules for all clients."""

from __future__ import annotations

import tempfile

import pytest
from livnd.conformance.lossy_proxy import LossyProxy

from conformance.drivers import Refused


@pytest.mark.parametrize("name", ["a#b", "a?b=c", "a%41", "a b", "é"])
def test_a_sockets_path_may_hold_any_characters_but_a_comma(connect, server, name):
    with tempfile.TemporaryDirectory(prefix="livnd-") as folder:
        proxy = LossyProxy(f"{folder}/{name}", server.address)
        assert connect(f"unix:{folder}/{name}", connect_timeout_s=5).info().server_version
        proxy.close()


@pytest.mark.parametrize(
    "address", ["", "here", "unix:", "unix:/a,b", "localhost:", "localhost:x", "::1:5005"]
)
def test_what_is_no_address_is_refused_at_once(connect, address):
    with pytest.raises(Refused) as caught:
        connect(address).info()
    told = caught.value
    assert (told.code, told.reason, told.in_doubt) == ("INVALID_ARGUMENT", "INVALID_FIELD", False)
    assert told.metadata["field"] == "address"
    assert told.metadata["value"] == address
    assert "unix:PATH" in told.metadata["accepted"]


def test_nobody_at_the_address_is_told_with_what_to_do(connect):
    with tempfile.TemporaryDirectory(prefix="livnd-") as folder, pytest.raises(Refused) as caught:
        connect(f"unix:{folder}/nobody", connect_timeout_s=0.2).info()
    told = caught.value
    assert told.code in ("UNAVAILABLE", "DEADLINE_EXCEEDED")
    assert (told.reason, told.in_doubt) == ("", False)
    assert f"livnd serve --listen unix:{folder}/nobody" in told.message
