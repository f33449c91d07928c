"""A client for programs of coroutines: one process drives many sessions, and no call blocks it.

    from livnd.adapters import aio
    async with aio.connect() as client:
        sessions = [await client.create_session("TargetRate-EI-mini-v0") for _ in range(8)]
        await asyncio.gather(*(session.reset([seed]) for seed, session in enumerate(sessions)))
        results = await asyncio.gather(*(session.step(action) for session in sessions))

Every verb is the one of livnd.Client and livnd.Session, with their arguments, answers, errors and
rules of repeating; it is done in a thread of the client's, where it waits for the server.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from livnd import checks
from livnd.client import Client as _Client
from livnd.culture import CultureSession as _CultureSession
from livnd.results import ObserveResult, RenderResult, ResetResult, StepResult
from livnd.session import Session as _Session
from livnd.specs import (
    EnvironmentNotOffered,
    EnvironmentSpec,
    ServerInfo,
    SessionInfo,
    System,
)

_Answer = TypeVar("_Answer")
_Self = TypeVar("_Self", bound="Session")


class Client:
    """livnd.Client's verbs as coroutines. For one event loop.

    Args:
        address: "unix:PATH" or "HOST:PORT"; None for this process's own server.
        max_calls: how many calls may wait for the server at once; more wait for their turn.
        options: more of livnd.Client's.

    Attributes:
        client: the one that it uses.
    """

    def __init__(self, address: str | None = None, *, max_calls: int = 64, **options: Any) -> None:
        max_calls = checks.integer("max_calls", max_calls, "1 or more", 1)
        self.client = _Client(address, **options)
        self._threads = ThreadPoolExecutor(max_calls, thread_name_prefix="livnd-aio")

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Deletes the client's sessions and hangs up, when the calls under way are done."""
        await self._in_a_thread(self.client.close)
        self._threads.shutdown(wait=False)

    async def server_info(self) -> ServerInfo:
        """As livnd.Client."""
        return await self._in_a_thread(self.client.server_info)

    async def systems(self) -> list[str]:
        """As livnd.Client."""
        return await self._in_a_thread(self.client.systems)

    async def system(self, name: str) -> System:
        """As livnd.Client."""
        return await self._in_a_thread(lambda: self.client.system(name))

    async def environments(self) -> list[EnvironmentSpec]:
        """As livnd.Client."""
        return await self._in_a_thread(self.client.environments)

    async def not_offered(self) -> list[EnvironmentNotOffered]:
        """As livnd.Client."""
        return await self._in_a_thread(self.client.not_offered)

    async def environment(self, environment_id: str) -> EnvironmentSpec:
        """As livnd.Client."""
        return await self._in_a_thread(lambda: self.client.environment(environment_id))

    async def session_info(self, name: str) -> SessionInfo:
        """As livnd.Client."""
        return await self._in_a_thread(lambda: self.client.session_info(name))

    async def create_session(
        self, environment_id: str, num_envs: int = 1, **options: Any
    ) -> Session:
        """As livnd.Client, for environments with a task."""
        return Session(
            self,
            await self._in_a_thread(
                lambda: self.client.create_session(environment_id, num_envs, **options)
            ),
        )

    async def attach_session(self, name: str) -> Session:
        """As livnd.Client, for environments with a task."""
        return Session(self, await self._in_a_thread(lambda: self.client.attach_session(name)))

    async def create_culture(self, system: str, num_envs: int = 1) -> CultureSession:
        """As livnd.Client."""
        return CultureSession(
            self, await self._in_a_thread(lambda: self.client.create_culture(system, num_envs))
        )

    async def _in_a_thread(self, call: Callable[[], _Answer]) -> _Answer:
        return await asyncio.get_running_loop().run_in_executor(self._threads, call)


class Session:
    """livnd.Session's verbs as coroutines; those that are awaited at once are done in turn.

    A call that is cancelled is done all the same, and the cancellation told when it is: only its
    answer is lost.

    Attributes:
        session: the one that it uses.
        name, spec, num_envs: its.
    """

    def __init__(self, client: Client, session: Any) -> None:
        self._client = client
        self.session: Any = session
        self.name: str = session.name
        self.spec: EnvironmentSpec = session.spec
        self.num_envs: int = session.num_envs
        self._turn = asyncio.Lock()

    async def reset(self, seeds: Sequence[int | None] | None = None, **more: Any) -> ResetResult:
        """As livnd.Session."""
        return await self._call(_Session.reset, seeds, **more)

    async def step(self, *actions: Any) -> StepResult:
        """As livnd.Session."""
        return await self._call(_Session.step, *actions)

    async def observe(self) -> ObserveResult:
        """As livnd.Session."""
        return await self._call(_Session.observe)

    async def render(self, copies: Sequence[int] | None = None) -> RenderResult:
        """As livnd.Session."""
        return await self._call(_Session.render, copies)

    async def snapshot(self, copies: Sequence[int] | None = None) -> bytes:
        """As livnd.Session."""
        return await self._call(_Session.snapshot, copies)

    async def restore(self, snapshot: bytes, copy_of: Sequence[int] | None = None) -> None:
        """As livnd.Session."""
        await self._call(_Session.restore, snapshot, copy_of)

    async def fork(
        self: _Self, num_sessions: int = 1, copy_of: Sequence[int] | None = None
    ) -> list[_Self]:
        """As livnd.Session."""
        made = await self._call(type(self.session).fork, num_sessions, copy_of)
        return [type(self)(self._client, session) for session in made]

    async def close(self) -> None:
        """As livnd.Session."""
        await self._call(_Session.close)

    async def _call(self, verb: Callable[..., _Answer], *arguments: Any, **named: Any) -> _Answer:
        async with self._turn:
            done = asyncio.ensure_future(
                self._client._in_a_thread(lambda: verb(self.session, *arguments, **named))
            )
            try:
                return await asyncio.shield(done)
            except asyncio.CancelledError:
                await asyncio.wait([done])
                raise


class CultureSession(Session):
    """livnd.CultureSession's verbs, the same way."""

    async def run(self, *arguments: Any, **named: Any) -> Any:
        """As livnd.CultureSession."""
        return await self._call(_CultureSession.run, *arguments, **named)

    async def clear(self, *arguments: Any, **named: Any) -> Any:
        """As livnd.CultureSession."""
        return await self._call(_CultureSession.clear, *arguments, **named)

    async def configure(self, *arguments: Any, **named: Any) -> Any:
        """As livnd.CultureSession."""
        return await self._call(_CultureSession.configure, *arguments, **named)

    async def describe(self, *arguments: Any, **named: Any) -> Any:
        """As livnd.CultureSession."""
        return await self._call(_CultureSession.describe, *arguments, **named)


def connect(address: str | None = None, *, max_calls: int = 64, **options: Any) -> Client:
    """A client of the server at `address`, or of an own server; see Client for the arguments."""
    return Client(address, max_calls=max_calls, **options)
