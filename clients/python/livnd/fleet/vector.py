"""Copies over many servers as one gymnasium.vector.VectorEnv."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gymnasium.vector import AutoresetMode

from livnd.client import Client
from livnd.errors import invalid_field
from livnd.fleet import servers
from livnd.fleet.places import places
from livnd.fleet.session import FleetSession
from livnd.gym.batch import MODE_NAMES, BatchEnv, autoreset_mode_of, episode_limit
from livnd.pace import PaceReport
from livnd.pace import message_of as pace_message
from livnd.series import SeriesSelection

# Where a file tells the addresses, somebody who writes it sees to it that lost servers come back.
_RETRY_OF_FILES_S = 120.0


class FleetVectorEnv(BatchEnv):
    """num_envs copies over several servers; made by gymnasium.make_vec("livnd/...", addresses=...).

    The first server has the first copies, and so on, each as many as others or one more. The same
    seeds and actions give the bits that one server with num_envs copies gives, in every autoreset
    mode; so do snapshots, which fit environments of one server, too. A step goes to all servers at
    once.

    Where a server ends and comes back (with its state folder: a session is its journal), it goes on
    where it was; a call waits for it as long as `retry_s` says, and is then in_doubt: the same call
    again is done by those only that have not done it. Reset of all copies goes on from anything. A
    copy or a pickle goes on where it is, with sessions of its own.

    Args:
        num_envs: at least as many as servers.
        environment_id, render_mode, autoreset_mode, max_episode_steps, pace: as RemoteVectorEnv.
        addresses: of the servers: a list, or a text: "HOST:PORT,HOST:PORT", or "@FILE" with one a
            line. None: LIVND_ADDRESSES_FILE or LIVND_ADDRESSES. When the line to a server breaks
            its line of the file is read again: it may come back at another address.
        options: more of livnd.Client's, the same for all servers; `retry_s` is 120 where a file
            tells the addresses.

    Attributes:
        environment_spec, metadata: as RemoteEnv.
        autoreset_mode, episode_seeds: as RemoteVectorEnv.
        copies_of: by the server's address, which copies it has.

    Raises:
        InvalidFieldError: no address, one twice, fewer copies than servers.
        BadFileError: of a file of addresses.
        ServerMismatchError: the servers have other physics, or other files of the system.
        UnknownEnvironmentError, ServerUnavailableError: of one of them, which the text names.
    """

    _session: FleetSession

    def __init__(
        self,
        num_envs: int,
        environment_id: str,
        addresses: str | Sequence[str] | None = None,
        render_mode: str | None = None,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        max_episode_steps: int | None = None,
        pace: str | float | None = None,
        **options: Any,
    ) -> None:
        self.render_mode = render_mode
        self.autoreset_mode = autoreset_mode_of(autoreset_mode)
        limit = episode_limit(max_episode_steps)
        pace_message(pace)
        found = places(addresses)
        if not found:
            accepted = "addresses, or LIVND_ADDRESSES in the environment"
            raise invalid_field("addresses", addresses, accepted)
        if found[0].file is not None:
            options.setdefault("retry_s", _RETRY_OF_FILES_S)
        self._clients = servers.clients_of(found, options)
        try:
            servers.at_once([client.server_info for client in self._clients])
            num_envs = servers.check_num_envs(num_envs, self._clients)
            self._take_spec(servers.same_environment(self._clients, environment_id), num_envs)
            self._session = FleetSession(
                self._clients,
                servers.shares(num_envs, len(self._clients)),
                self.environment_spec,
                MODE_NAMES[self.autoreset_mode],
                limit,
                pace,
            )
            self._take_copies(self._clients[0], self._session, limit)
        except BaseException:
            self._close_clients()
            raise

    @property
    def copies_of(self) -> dict[str, range]:
        """By the server's address, which copies it has."""
        return {
            shard.client.address or "": range(shard.copies.start, shard.copies.stop)
            for shard in self._session.shards
        }

    @property
    def clients(self) -> list[Client]:
        """Of the servers, in the order of their copies; where recordings are read."""
        return list(self._clients)

    def start_recordings(
        self,
        label: str = "",
        kinds: Sequence[str] | None = None,
        series: Sequence[SeriesSelection] = (),
    ) -> list[str]:
        """As RemoteVectorEnv.start_recording, on each server; the names, in the order of clients.

        Copies are numbered as the server has them.
        """
        return [
            shard.session.session.start_recording(label, kinds, series)
            for shard in self._session.shards
        ]

    def stop_recordings(self) -> list[str]:
        """Ends them; their names."""
        return [shard.session.session.stop_recording() for shard in self._session.shards]

    def pace_reports(self) -> list[PaceReport | None]:
        """How well each server's session has kept its pace; None without one."""
        return [shard.session.session.pace_report() for shard in self._session.shards]

    def close_extras(self, **kwargs: Any) -> None:
        """Ends the sessions. Idempotent."""
        self._renderer.close()
        self._session.close()
        self._close_clients()

    def _close_clients(self) -> None:
        # One that does not answer is waited for a little.
        servers.at_once([client.close for client in self._clients])
