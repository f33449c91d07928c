"""What environments, single and vectorised, do with the session behind them."""

from __future__ import annotations

from collections.abc import Sequence

from livnd.client import Client
from livnd.gym.renewable_session import RenewableSession
from livnd.pace import PaceReport
from livnd.series import SeriesSelection


class SessionVerbs:
    """Recordings and the pace of an environment's session, and leaving it to the server."""

    _client: Client
    _session: RenewableSession

    def start_recording(
        self,
        label: str = "",
        kinds: Sequence[str] | None = None,
        series: Sequence[SeriesSelection] = (),
    ) -> str:
        """Has the server write down what the environment does; see Session.start_recording.

        Of the session that runs: where it is gone, a reset makes one that is not recorded.
        ResetNeeded: reset first.
        """
        return self._session.session.start_recording(label, kinds, series)

    def stop_recording(self) -> str:
        """Ends the recording and gives its name; see Session.stop_recording."""
        return self._session.session.stop_recording()

    @property
    def client(self) -> Client:
        """Where its recordings are read: client.read_recording(env.unwrapped.stop_recording())."""
        return self._client

    def pace_report(self) -> PaceReport | None:
        """How well the session has kept its pace; None without one. ResetNeeded: reset first."""
        return self._session.session.pace_report()

    def detach(self) -> str:
        """Leaves the session to the server; its name, for make(..., session=name) elsewhere.

        ResetNeeded: there is none yet. The environment is done with; close() it.
        """
        return self._session.session.detach()
