"""The session behind an environment: made by the first reset, and made anew when it is gone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gymnasium

from livnd.client import Client
from livnd.errors import OwnServerEndedError, UnknownSessionError, not_copyable
from livnd.session import ResetResult, Session, StepResult

# After these nothing can be done on a session any more.
_GONE = (UnknownSessionError, OwnServerEndedError)


class RenewableSession:
    """num_envs copies of an environment, whichever session they are in. One caller at a time.

    Until the first reset it is copied and pickled with its client, then no more.
    """

    def __init__(
        self,
        client: Client,
        environment_id: str,
        num_envs: int,
        autoreset_mode: str,
        max_episode_steps: int | None = None,
    ) -> None:
        self._client = client
        self._wish = {
            "environment_id": environment_id,
            "num_envs": num_envs,
            "autoreset_mode": autoreset_mode,
            "max_episode_steps": max_episode_steps,
        }
        self._session: Session | None = None

    def __getstate__(self) -> dict[str, Any]:
        if self._session is not None:
            raise not_copyable("an environment that was reset")
        return self.__dict__

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
                raise _advise(error) from error
        self._session = self._create()
        return self._session.reset(seeds, options=options)

    def step(self, actions: Any) -> StepResult:
        """As Session.step. ResetNeeded before the first reset."""
        if self._session is None:
            raise gymnasium.error.ResetNeeded("call reset() before step()")
        try:
            return self._session.step(actions)
        except _GONE as error:
            raise _advise(error) from error

    def _create(self) -> Session:
        try:
            return self._client.create_session(**self._wish)
        except OwnServerEndedError:  # before the first reset; the next call starts another
            return self._client.create_session(**self._wish)


def _advise(error: Any) -> Exception:
    return type(error)(
        f"{error}. Call reset() of all copies: it makes a new session",
        reason=error.reason,
        code=error.code,
        metadata=error.metadata,
    )
