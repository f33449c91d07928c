"""The servers of a fleet: that they serve the same, and which copies each has."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from livnd import checks
from livnd.client import Client
from livnd.errors import LivndError, ServerMismatchError, ServerTooOldError, UnknownEnvironmentError
from livnd.fleet import snapshots
from livnd.fleet.places import Place
from livnd.specs import EnvironmentSpec

_T = TypeVar("_T")

# Servers that are asked at one time, when a fleet is made, reset or restored.
MAX_CALLS = 32


@dataclass(frozen=True)
class Identity:
    """What decides the numbers of an environment, as a server tells it."""

    physics_version: str
    system_sha256: str  # of the system's files; "" where a server has no snapshots
    spec_sha256: str


def shares(num_envs: int, num_servers: int) -> list[slice]:
    """Which copies each server has: one after the other, as many as others or one more."""
    few, more = divmod(num_envs, num_servers)
    ends = [few * (i + 1) + min(i + 1, more) for i in range(num_servers)]
    return [slice(start, end) for start, end in zip([0, *ends], ends, strict=False)]


def check_num_envs(num_envs: Any, clients: Sequence[Client]) -> int:
    """How many copies servers that have answered have room for, at least one each.

    Raises:
        InvalidFieldError: fewer, or more.
    """
    most = len(clients) * min(client.server_info().max_envs_per_session for client in clients)
    accepted = f"{len(clients)} .. {most}: at least one copy on each of {len(clients)} servers"
    return checks.integer("num_envs", num_envs, accepted, len(clients), most + 1)


def clients_of(places: Sequence[Place], options: dict[str, Any]) -> list[Client]:
    """A client for each; nothing is connected yet."""
    return [
        Client(place.address, find_address=place.now if place.file else None, **options)
        for place in places
    ]


def same_environment(clients: Sequence[Client], environment_id: str) -> EnvironmentSpec:
    """The environment, which all servers have with the same physics and the same system.

    Raises:
        UnknownEnvironmentError: one of them does not have it.
        ServerMismatchError: two of them would give other numbers.
        ServerUnavailableError: one of them does not answer.
    """
    found = at_once([functools.partial(_look, client, environment_id) for client in clients])
    (spec, first), others = found[0], found[1:]
    for client, (_, identity) in zip(clients[1:], others, strict=True):
        for field in Identity.__dataclass_fields__:
            value, accepted = getattr(identity, field), getattr(first, field)
            if value != accepted:
                raise _mismatch(environment_id, field, client, value, clients[0], accepted)
    return spec


def _look(client: Client, environment_id: str) -> tuple[EnvironmentSpec, Identity]:
    try:
        spec = client.environment(environment_id)
        with client.create_session(environment_id) as session:
            try:
                contents = snapshots.contents(session.snapshot())
            except ServerTooOldError:
                return spec, Identity(spec.physics_version, "", "")
    except UnknownEnvironmentError as error:
        raise told_where(error, client) from None
    return spec, Identity(contents.physics_version, contents.system_sha256, contents.spec_sha256)


def _mismatch(
    environment_id: str, field: str, client: Client, value: str, other: Client, accepted: str
) -> ServerMismatchError:
    return ServerMismatchError(
        f"{environment_id} has {field} {value!r} at {client.address}, and {accepted!r} at "
        f"{other.address}: servers of a fleet have to be of the same version, with the same files "
        "of the system",
        reason="SERVER_MISMATCH",
        code="FAILED_PRECONDITION",
        metadata={
            "field": field,
            "value": value,
            "accepted": accepted,
            "address": client.address or "",
        },
    )


def told_where(error: LivndError, client: Client, copies: slice | None = None) -> Any:
    """The same error, which says at which server, too, and of which copies of the fleet."""
    where = f"at {client.address}"
    if copies is not None:
        where += f", which has copies {copies.start} .. {copies.stop - 1}"
    error.args = (f"{error} ({where})",)
    error.metadata["address"] = client.address or ""
    return error


def at_once(calls: Sequence[Callable[[], _T]]) -> list[_T]:
    """What they answer, each in a thread while there are several; the first of their errors."""
    if len(calls) == 1:
        return [calls[0]()]
    with ThreadPoolExecutor(min(len(calls), MAX_CALLS)) as pool:
        return list(pool.map(lambda call: call(), calls))
