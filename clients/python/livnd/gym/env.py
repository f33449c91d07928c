"""A served environment as a gymnasium.Env."""

from __future__ import annotations

import copy
from typing import Any

import gymnasium
import numpy as np

from livnd import checks
from livnd.client import Client
from livnd.gym import spaces
from livnd.gym.render import MODES, Renderer
from livnd.gym.renewable_session import RenewableSession
from livnd.gym.session_verbs import SessionVerbs


class RemoteEnv(SessionVerbs, gymnasium.Env[np.ndarray, np.ndarray]):
    """One copy of a served environment; usually made by gymnasium.make("livnd/...").

    The server simulates, seeds and ends episodes; this class only carries. It follows Gymnasium's
    contract to the letter: reset(seed) and the resets after it give the same episodes every time.
    Where the session is gone for good, step() says so and reset() goes on with a new one. A copy
    (copy.deepcopy) or a pickle of it is another environment, which begins where this one is and has
    the same bits after the same actions.

    Args:
        environment_id: the server's id, "TargetRate-EI-mini-v0".
        address: "unix:PATH" or "HOST:PORT" of a server; None for this process's own one.
        render_mode: "rgb_array", "rgb_array_list", "ansi", "human" (a window that shows every reset
            and step), or None. Only None where nothing names electrodes.
        threads: how many of an own server's shall simulate; see livnd.Client.
        session: name of a living session, of detach() or a killed process, to go on with; whoever
            held it before gets a SupersededError. None: a new one. The first call of what make()
            has wrapped is a reset: reset(options={"resume": True}) goes on with the episode.
        pace: seconds of culture time a second; "real" is 1, "free" is 0, as fast as it goes; None:
            as the server was told. See livnd.Client.create_session.
        options: more of livnd.Client's: token, token_file, tls_ca, tls_cert, tls_key, timeout_s ...
            What is given here Gymnasium keeps in `spec`, a token too.

    Attributes:
        environment_spec: names, units, bounds and settings, as the server describes them.
        metadata: also holds `settings` (for example max_amplitude_ua) and step_duration_ms.
        episode_seed: seed that the running episode was started with.

    Raises:
        InvalidFieldError: the session is of another environment or has several copies.
        UnknownEnvironmentError, UnknownSessionError, ServerUnavailableError, ServerStartError.
    """

    metadata: dict[str, Any] = {"render_modes": list(MODES)}  # noqa: RUF012

    def __init__(
        self,
        environment_id: str,
        address: str | None = None,
        render_mode: str | None = None,
        threads: int | None = None,
        session: str | None = None,
        pace: str | float | None = None,
        **options: Any,
    ) -> None:
        self.render_mode = render_mode
        self.episode_seed: int | None = None
        self._client = Client(address, threads=threads, **options)
        try:
            self.environment_spec = self._client.environment(environment_id)
            self._session = RenewableSession(
                self._client, environment_id, 1, "disabled", pace=pace, session=session
            )
            self.observation_space = spaces.observation_space(self.environment_spec)
            self.action_space = spaces.action_space(self.environment_spec)
            self._renderer = Renderer(
                self._client, self.environment_spec, render_mode, self._session.render
            )
            self.metadata = spaces.metadata(self.environment_spec, self._renderer.modes)
        except BaseException:
            self._client.close()
            raise

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Starts an episode.

        Args:
            seed: 0 .. 2**64 - 1, also as a NumPy integer; None continues the stream (random if
                nothing was seeded yet).
            options: numbers by the names in environment_spec.reset_options. {"resume": True} alone
                begins no episode, and tells where the running one is.

        Returns:
            The observation, float32 [observation size], and the info.

        Raises:
            InvalidFieldError: the seed or an option is out of range or unknown.
        """
        if seed is not None:
            seed = checks.seed("seed", seed)
        given = {} if options is None else options
        options = dict(checks.mapping("options", given, "numbers by name"))
        if spaces.resumes(seed, options):
            return spaces.resumed(self.observe())
        super().reset(seed=seed)
        result = self._session.reset([seed], options=options)
        self._renderer.keep_reset(result.observations[0], result.infos, np.ones(1, np.bool_))
        self.episode_seed = int(result.seeds[0])
        return result.observations[0][0].copy(), spaces.single_info(result.infos, result.seeds)

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
        (spec,) = self.environment_spec.actions
        accepted = f"{spec.dtype} of shape {spec.shape}"
        actions = checks.array(spec.name, action, spec.dtype, accepted)[np.newaxis]
        result = self._session.step(actions)
        self._renderer.keep_step(result, actions)
        return (
            result.observations[0][0].copy(),
            float(result.rewards[0]),
            bool(result.terminated[0]),
            bool(result.truncated[0]),
            spaces.single_info(result.infos),
        )

    def snapshot(self) -> bytes:
        """Everything that decides what the environment does next, for restore() here or elsewhere.

        It is a value that does not change, and fits every environment of the same name on a server
        with the same physics and the same system. Wrappers have state of their own, which is not
        in it: TimeLimit's count of steps, say; copy.deepcopy copies that too.

        Raises:
            UnknownSessionError, OwnServerEndedError: the session is gone; reset.
        """
        return self._session.snapshot()

    def restore(self, snapshot: bytes) -> tuple[np.ndarray, dict[str, Any]] | None:
        """Goes on where a snapshot was taken, with the same bits.

        Returns:
            The observation and the info that were the last ones there; None where there was none,
            before the first reset.

        Raises:
            InvalidFieldError: not a snapshot of one copy, or damaged; nothing has changed.
            SnapshotMismatchError: of another environment, physics or system; nothing has changed.
        """
        self._session.restore(snapshot)
        return self._observe(np.ones(1, np.bool_))

    def observe(self) -> tuple[np.ndarray, dict[str, Any]] | None:
        """The observation and the info that were the last ones; None before the first reset."""
        return self._observe(np.zeros(1, np.bool_))

    def _observe(self, restored: np.ndarray) -> tuple[np.ndarray, dict[str, Any]] | None:
        seen = self._session.observe()
        if seen is None:
            self.episode_seed = None
            return None
        self._renderer.keep_seen(seen.observations[0], seen.infos, restored)
        self.episode_seed = int(seen.episode_seeds[0])
        return seen.observations[0][0].copy(), spaces.single_info(seen.infos)

    def fork(self, n: int = 1) -> list[RemoteEnv]:
        """N environments that begin where this one is, each with a session of its own."""
        n = checks.integer("n", n, "1 or more", 1)
        return [copy.deepcopy(self) for _ in range(n)]

    def render(self) -> Any:
        """The culture and the task as the last reset or step left them.

        Returns:
            "rgb_array": uint8 [320, 640, 3], as livnd.gym.views.scene.Scene draws it.
            "rgb_array_list": such frames, one of each reset and step since the last call, and none
            from before the last reset. "ansi": a text. "human": None; and, with a warning, without
            a render mode.

        Raises:
            gymnasium.error.ResetNeeded: reset first.
        """
        frames = self._renderer.frames()
        return None if frames is None else frames[0]

    def close(self) -> None:
        """Ends the session and, where it was the last user, the own server. Idempotent."""
        self._renderer.close()
        self._client.close()
