"""The session behind an environment: made by the first reset, and made anew when it is gone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gymnasium

from livnd.client import Client
from livnd.errors import NotResetError, OwnServerEndedError, UnknownSessionError, invalid_field
from livnd.pace import message_of as pace_message
from livnd.results import ObserveResult, RenderResult, ResetResult, StepResult
from livnd.session import Session
from livnd.specs import SessionInfo

# After these nothing can be done on a session any more.
_GONE = (UnknownSessionError, OwnServerEndedError)


class RenewableSession:
    """num_envs copies of an environment, whichever session they are in. One caller at a time.

    It is copied and pickled with its client: the copy goes on where this one is.
    """

    def __init__(
        self,
        client: Client,
        environment_id: str,
        num_envs: int,
        autoreset_mode: str,
        max_episode_steps: int | None = None,
        pace: str | float | None = None,
        session: str | None = None,
    ) -> None:
        self._client = client
        self._wish: dict[str, Any] = {
            "environment_id": environment_id,
            "num_envs": num_envs,
            "autoreset_mode": autoreset_mode,
            "max_episode_steps": max_episode_steps,
            "pace": pace,
        }
        pace_message(pace)  # refused here and not by the first reset
        self._session: Session | None = None
        if session is not None:
            self._check_fits(self._client.session_info(session))
            self._session = self._client.attach_session(session)

    def _check_fits(self, info: SessionInfo) -> None:
        """InvalidFieldError for a session of another kind, which stays with whoever has it."""
        wish = self._wish
        # What is None was left to the session.
        if wish["pace"] is not None and info.pace != pace_message(wish["pace"]).speed:
            raise invalid_field("pace", wish["pace"], f"None, or the session's, {info.pace:g}")
        for name, found in (
            ("environment_id", info.spec.environment_id),
            ("num_envs", info.num_envs),
            ("autoreset_mode", info.autoreset_mode),
            ("max_episode_steps", info.spec.max_episode_steps),
        ):
            if wish[name] is not None and wish[name] != found:
                raise invalid_field(name, wish[name], f"what the session has, {found!r}")

    @property
    def name(self) -> str:
        """The server's name of the running session; "" before the first reset."""
        return self._session.name if self._session else ""

    def reset(
        self, seeds: Sequence[int | None], *, mask: Any = None, options: dict[str, Any]
    ) -> ResetResult:
        """As Session.reset; a reset of all copies makes a new session where the old one is gone.

        The streams of seeds of a new session are new, too: what got no seed is random.
        """
        if self._session is None:
            self._session = self._create()
        try:
            return self._session.reset(seeds, mask=mask, options=options)
        except _GONE as error:
            if mask is not None:
                raise advise(error) from error
        self._session = self._create()
        return self._session.reset(seeds, options=options)

    def step(self, actions: Any) -> StepResult:
        """As Session.step. ResetNeeded before the first reset."""
        if self._session is None:
            raise gymnasium.error.ResetNeeded("call reset() before step()")
        try:
            return self._session.step(actions)
        except _GONE as error:
            raise advise(error) from error

    @property
    def session(self) -> Session:
        """The running session. ResetNeeded before the first reset."""
        if self._session is None:
            raise gymnasium.error.ResetNeeded("call reset() first")
        return self._session

    def observe(self) -> ObserveResult | None:
        """What the copies show; None if one of them has not been reset."""
        if self._session is None:
            return None
        try:
            return self._session.observe()
        except NotResetError:
            return None
        except _GONE as error:
            raise advise(error) from error

    def render(self) -> RenderResult:
        """As Session.render, of all copies. ResetNeeded before the first reset."""
        try:
            return self.session.render()
        except _GONE as error:
            raise advise(error) from error

    def snapshot(self, copies: Sequence[int] | None = None) -> bytes:
        """As Session.snapshot; also before the first reset."""
        if self._session is None:
            self._session = self._create()
        try:
            return self._session.snapshot(copies)
        except _GONE as error:
            raise advise(error) from error

    def restore(self, snapshot: bytes, copy_of: Sequence[int] | None = None) -> None:
        """As Session.restore; where all copies are restored, in a new session if the old is gone.

        observe() tells what the copies show then.
        """
        if self._session is None:
            self._session = self._create()
        try:
            self._session.restore(snapshot, copy_of)
        except _GONE as error:
            if copy_of is not None and -1 in copy_of:
                raise advise(error) from error
            self._session = self._create()
            self._session.restore(snapshot, copy_of)

    def _create(self) -> Session:
        try:
            return self._client.create_session(**self._wish)
        except OwnServerEndedError:  # before the first reset; the next call starts another
            return self._client.create_session(**self._wish)


def advise(error: Any) -> Any:
    """The same error, which says what to do about it."""
    return type(error)(
        f"{error}. Call reset() of all copies: it makes a new session",
        reason=error.reason,
        code=error.code,
        metadata=error.metadata,
    )
