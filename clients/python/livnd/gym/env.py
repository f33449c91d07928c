"""A served environment as a gymnasium.Env."""

from __future__ import annotations

from typing import Any, ClassVar

import gymnasium
import numpy as np

from livnd.client import Client
from livnd.errors import invalid_field
from livnd.gym import spaces
from livnd.gym.renewable_session import RenewableSession
from livnd.session import MAX_SEED


class RemoteEnv(gymnasium.Env[np.ndarray, np.ndarray]):
    """One copy of a served environment; usually made by gymnasium.make("livnd/...").

    The server simulates, seeds and ends episodes; this class only carries. It follows Gymnasium's
    contract to the letter: reset(seed) and the resets after it give the same episodes every time.
    Where the session is gone, with an idle server's patience or with the server itself, step() says
    so and reset() goes on with a new one. Before the first reset it can be copied and pickled.

    Args:
        environment_id: the server's id, "TargetRate-EI-mini-v0".
        address: "unix:PATH" or "HOST:PORT" of a server; None for this process's own one.
        render_mode: None; there is no rendering yet.
        threads: how many of an own server's shall simulate; see livnd.Client.

    Attributes:
        environment_spec: names, units, bounds and settings, as the server describes them.
        metadata: also holds `settings` (for example max_amplitude_ua) and step_duration_ms.
        episode_seed: seed that the running episode was started with.

    Raises:
        UnknownEnvironmentError, ServerUnavailableError, ServerStartError.
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": []}

    def __init__(
        self,
        environment_id: str,
        address: str | None = None,
        render_mode: str | None = None,
        threads: int | None = None,
    ) -> None:
        spaces.check_render_mode(render_mode)
        self.render_mode = None
        self.episode_seed: int | None = None
        self._client = Client(address, threads=threads)
        try:
            self.environment_spec = self._client.environment(environment_id)
            self._session = RenewableSession(self._client, environment_id, 1, "disabled")
            self.observation_space = spaces.observation_space(self.environment_spec)
            self.action_space = spaces.action_space(self.environment_spec)
            self.metadata = spaces.metadata(self.environment_spec)
        except BaseException:
            self._client.close()
            raise

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Starts an episode.

        Args:
            seed: 0 .. 2**64 - 1; None continues the stream (random if nothing was seeded yet).
            options: numbers by the names in environment_spec.reset_options.

        Returns:
            The observation, float32 [observation size], and the info.

        Raises:
            InvalidFieldError: the seed or an option is out of range or unknown.
        """
        if isinstance(seed, int) and seed > MAX_SEED:
            raise invalid_field("seed", seed, "0 .. 2**64 - 1")
        super().reset(seed=seed)
        result = self._session.reset([seed], options=options or {})
        self.episode_seed = int(result.seeds[0])
        return result.observations[0][0].copy(), spaces.single_info(result.infos)

    def step(self, action: Any) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Advances by one step (environment_spec.step_duration_ms of culture time).

        Args:
            action: float32 [action size] within action_space.

        Returns:
            observation float32 [observation size], reward, terminated, truncated, info.

        Raises:
            InvalidFieldError: wrong shape, NaN or out of bounds; nothing has changed.
            NotResetError: reset first.
            EpisodeEndedError: the episode is over; reset.
            UnknownSessionError, OwnServerEndedError: the session is gone; reset.
        """
        result = self._session.step(np.asarray(action)[np.newaxis])
        return (
            result.observations[0][0].copy(),
            float(result.rewards[0]),
            bool(result.terminated[0]),
            bool(result.truncated[0]),
            spaces.single_info(result.infos),
        )

    def close(self) -> None:
        """Ends the session and, where it was the last user, the own server. Idempotent."""
        self._client.close()
