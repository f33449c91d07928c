"""Every case runs once for each client; build //server:livnd and //tests/conformance:driver."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator

import livnd
import pytest
from livnd.conformance.lossy_proxy import LossyProxy
from serving import Serve

from conformance import drivers
from conformance.cpp_driver import CppDriver
from conformance.python_driver import PythonDriver


@pytest.fixture(scope="session")
def server() -> Iterator[Serve]:
    """The server that most cases share; it has Null-v0, which costs nothing but the calls."""
    with Serve("--bench-environments", "--threads", "2") as server:
        yield server


@pytest.fixture(scope="session")
def cpp_driver() -> Iterator[CppDriver]:
    driver = CppDriver()
    yield driver
    driver.close()


@pytest.fixture(scope="session")
def all_drivers(cpp_driver: CppDriver) -> list[drivers.Driver]:
    """For cases that compare the clients."""
    return [PythonDriver(), cpp_driver]


@pytest.fixture(params=[0, 1], ids=["python", "cpp"])
def driver(request, all_drivers) -> drivers.Driver:
    return all_drivers[request.param]


@pytest.fixture
def connect(driver: drivers.Driver) -> Iterator[Callable[..., drivers.Client]]:
    """Connects clients, which are closed at the end."""
    clients = []

    def connect(address: str, **options: float | str) -> drivers.Client:
        clients.append(driver.connect(address, **options))
        return clients[-1]

    yield connect
    for client in clients:
        client.close()


@pytest.fixture
def client(connect, server: Serve) -> drivers.Client:
    return connect(server.address)


@pytest.fixture
def proxy(server: Serve) -> Iterator[LossyProxy]:
    with tempfile.TemporaryDirectory(prefix="livnd-") as folder:
        proxy = LossyProxy(f"{folder}/s", server.address)
        yield proxy
        proxy.close()


@pytest.fixture(scope="session")
def direct(server: Serve) -> Iterator[livnd.Client]:
    """Past the client and the proxy: single calls with messages of the test's own."""
    with livnd.connect(server.address) as direct:
        yield direct
