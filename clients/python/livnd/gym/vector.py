"""Served environments as a gymnasium.vector.VectorEnv: N copies, one call a step."""

from __future__ import annotations

from typing import Any

from gymnasium.vector import AutoresetMode

from livnd import checks
from livnd.client import Client
from livnd.gym.batch import MODE_NAMES, BatchEnv, autoreset_mode_of, episode_limit
from livnd.gym.renewable_session import RenewableSession
from livnd.gym.session_verbs import SessionVerbs


class RemoteVectorEnv(SessionVerbs, BatchEnv):
    """num_envs copies in one session; usually made by gymnasium.make_vec("livnd/...", num_envs=N).

    Autoreset happens on the server. Observations, rewards, ends and infos are, bit for bit, those
    of gymnasium.vector.SyncVectorEnv over num_envs single environments. Where the session is gone,
    reset() of all copies goes on with a new one. A copy or a pickle of it goes on where it is, as
    RemoteEnv's.

    Args:
        num_envs: 1 .. the server's max_envs_per_session.
        environment_id, address, render_mode, threads, session, pace, options: as RemoteEnv.
        autoreset_mode: an AutoresetMode, or its value ("NextStep", "SameStep", "Disabled"). Under
            SAME_STEP infos["final_obs"] and ["final_info"] show the end of what ended. DISABLED
            leaves it to the caller to reset what has ended (options["reset_mask"]).
        max_episode_steps: truncates episodes after so many steps, as TimeLimit does; None and -1
            leave it to the server, whose own limit counts in any case.

    Attributes:
        environment_spec, metadata: as RemoteEnv.
        autoreset_mode: as given.
        episode_seeds: uint64 [num_envs], of the running episodes. Where reset() or an autoreset
            began one, infos["episode_seed"] tells it too.

    Raises:
        InvalidFieldError: num_envs, autoreset_mode or max_episode_steps is out of range, or not
            the session's.
        UnknownEnvironmentError, UnknownSessionError, ServerUnavailableError, ServerStartError.
    """

    _session: RenewableSession

    def __init__(
        self,
        num_envs: int,
        environment_id: str,
        address: str | None = None,
        render_mode: str | None = None,
        threads: int | None = None,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        max_episode_steps: int | None = None,
        session: str | None = None,
        pace: str | float | None = None,
        **options: Any,
    ) -> None:
        self.render_mode = render_mode
        self.autoreset_mode = autoreset_mode_of(autoreset_mode)
        limit = episode_limit(max_episode_steps)
        self._client = Client(address, threads=threads, **options)
        try:
            most = self._client.server_info().max_envs_per_session
            num_envs = checks.integer("num_envs", num_envs, f"1 .. {most}", 1, most + 1)
            self._take_spec(self._client.environment(environment_id), num_envs)
            mode = MODE_NAMES[self.autoreset_mode]
            copies = RenewableSession(
                self._client, environment_id, num_envs, mode, limit, pace, session
            )
            self._take_copies(self._client, copies, limit)
        except BaseException:
            self._client.close()
            raise

    def close_extras(self, **kwargs: Any) -> None:
        """Ends the session and, where it was the last user, the own server."""
        self._renderer.close()
        self._client.close()
