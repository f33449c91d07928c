"""A culture under livn's names: what a program for livn's Env does, done by a server.

    import livnd

    env = livnd.make("EI-mini")
    env.record_spikes()
    env.record_voltage()
    it, t, iv, v, *_ = env.run(100)
    print("Initial voltages: ", v[:, 0])

Units are livn's: ms, mV, nA, mA/cm2, uA at electrodes, mW/mm2, uS. What differs from livn is in
docs/differences.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from livnd import checks
from livnd.client import Client
from livnd.culture import TIMINGS, CultureInfo
from livnd.errors import InvalidFieldError, LivndError, NumericalFailureError, invalid_field
from livnd.livn.copies import Copies
from livnd.livn.electrodes import by_channel, potentials
from livnd.livn.recordings import Recordings
from livnd.livn.run import Run
from livnd.livn.selection import to_selection
from livnd.livn.stimulus import Stimulus, to_culture_stimulus

_DEFAULT_DT_MS = 0.025
_DEFAULT_SEED = 123
# livn's names of the mechanisms that learn.
_MECHANISMS = {
    "AMPA": "StdpLinExp2Syn",
    "NMDA": "StdpLinExp2SynNMDA",
    "GABA_A": "StdpLinExp2SynInh",
}


class Env:
    """One copy of a system's culture on a server, with the methods of livn's Env.

    It starts as livn's does: graph weights, no noise, nothing recorded. livnd.make() also applies
    the system's parameters. What is refused leaves everything as it was.

    Args:
        system: name of one of the server's systems.
        seed: of the noise, 0 .. 2**64 - 1; below 2**32 it is livn's. None: a random one, which the
            attribute `seed` then tells.
        address: "unix:PATH" or "HOST:PORT" of a server; None for this process's own one.
        model: as a model.json, {"cls": ..., "kwargs": {...}}; None: the system's.
        threads: how many of an own server's shall simulate; see livnd.Client.
        timing: of stimuli that name none: "exact", or "livn" for the very steps in which livn's
            stimuli act (livnd.CultureStimulus).
        options: more of livnd.Client's: token, token_file, tls_ca, tls_cert, tls_key, timeout_s ...

    Raises:
        UnknownEnvironmentError, ServerUnavailableError, ServerStartError, InvalidFieldError.
    """

    def __init__(
        self,
        system: str,
        *,
        seed: int | None = _DEFAULT_SEED,
        address: str | None = None,
        model: Mapping[str, Any] | None = None,
        threads: int | None = None,
        timing: str = "exact",
        **options: Any,
    ) -> None:
        checks.choice("timing", timing, TIMINGS)
        if seed is not None:
            seed = checks.seed("seed", seed)
        self._client = Client(address, threads=threads, **options)
        try:
            self._session = self._client.create_culture(system)
            (self.seed,) = self._session.clear([seed]).tolist()
            self._session.configure(model=model, forget_params=True, spikes=False)
            self.system = self._client.system(system)
            self._info = self._session.describe()
            # Of the model, whatever selection() builds of them later.
            self._active_populations = {p.name for p in self._info.populations}
        except BaseException:
            self._client.close()
            raise
        self._timing = timing
        self._ticks = 0  # since the last clear, as the server last told
        self._dt: float | None = None  # of the runs since the last clear
        self._noise_on = False
        self._rules = _livns_rules()
        self._recordings = Recordings()
        self._decodings: tuple[Any, ...] = ()
        self._recordings_sent = True  # whether the server surely has these and no others

    def __enter__(self) -> Env:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def init(self) -> Env:
        """Does nothing: the culture is there. For programs written for livn."""
        return self

    def close(self) -> None:
        """Ends the session and, where it was the last user, the own server. Idempotent."""
        self._client.close()

    # --- what there is -------------------------------------------------------------------------

    @property
    def info(self) -> CultureInfo:
        """Populations, sections, states, event sources, and the parameters as they are now."""
        self._info = self._session.describe()
        self._ticks = self._info.ticks
        return self._info

    @property
    def t(self) -> float:
        """Time since the last clear, ms, by the server's ticks."""
        return self._ticks * self._info.dt_ms

    @property
    def gids(self) -> np.ndarray:
        """Of the simulated cells, ascending."""
        return self._info.gids

    def active_gids(self) -> np.ndarray:
        """Of the cells that the model simulates, built by selection() or not."""
        active = [p for p in self.system.populations if p.name in self._active_populations]
        ranges = [np.arange(p.first_gid, p.first_gid + p.num_cells) for p in active]
        return np.concatenate(ranges or [np.zeros(0, int)])

    @property
    def input_gids(self) -> list[int]:
        """Event sources, which play_input_spikes takes."""
        return self._info.input_gids.tolist()

    @property
    def weight_names(self) -> list[str]:
        """Weight keys that name all connections of one kind."""
        return [key for key in self._info.accepted_params if key.endswith("-weight")]

    # --- parameters ----------------------------------------------------------------------------

    def selection(self, select: Any, method: str = "first", bounds: Any = None) -> Env:
        """Builds only these cells (docs/params.md); before the first run, and forgets the rest.

        Args:
            select: the name of a stored selection, a number or a fraction of cells, these or gids
                by population; None: all cells, or those within the bounds.
            method: "first", "random" or "patch".
            bounds: ((x0, y0), (x1, y1)) in um; of a "patch".
        """
        wanted = to_selection(select, method, bounds, self.seed)
        self._session.configure(selection=wanted, forget_params=True, spikes=False)
        self._noise_on = False
        self._rules = _livns_rules()
        self._recordings, self._recordings_sent = Recordings(), True
        self._decodings = ()
        self._info = self._session.describe()
        return self

    def apply_default_params(self, group: str = "default") -> Env:
        """Takes a group of the system's params document, or the model's defaults without one."""
        self._session.configure(params_group=group)
        self._noise_on = self._noise_on or any(k.startswith("noise-") for k in self.info.params)
        return self

    def apply_model_defaults(self, weights: bool = True, noise: bool = True) -> Env:
        """Noise as the model has it; its weights are the graph's, which hold anyway.

        livn has tables of its own for the systems EI1 and EI2; apply_default_params knows them.
        """
        if self.system.name in ("EI1", "EI2"):
            raise invalid_field(
                "system", self.system.name, "apply_default_params() for livn's EI1 and EI2"
            )
        return self.set_noise({}) if noise else self

    def set_params(self, params: Mapping[str, Any]) -> Env:
        """Livn's keys (docs/params.md), a number each, or for "cells-" keys one a cell."""
        self._session.configure(params=checks.mapping("params", params, "values by name"))
        self._noise_on = self._noise_on or any(k.startswith("noise-") for k in params)
        return self

    def set_weights(self, weights: Mapping[str, float]) -> Env:
        """Absolute weights, and numbers of receptors, by livn's keys without "weight-"."""
        return self.set_params(weights)

    def set_noise(self, noise: Mapping[str, float]) -> Env:
        """Noise by livn's names; what is not named keeps its value, at first livn's default."""
        noise = checks.mapping("noise", noise, "numbers by name")
        params = {f"noise-{name}": value for name, value in noise.items()}
        if not params and not self._noise_on:
            params = {"noise-tau_e": 2.728}  # livn's default: any number switches the noise on
        return self.set_params(params) if params else self

    def reseed_noise(self, stream: int | None = None) -> Env:
        """Goes on with another of the seed's noise streams; None: the next."""
        if stream is None:
            stream = self.info.noise_stream + 1
        self._session.configure(noise_stream=stream)
        return self

    @property
    def v_init(self) -> float:
        """Potential that every section starts from, mV; changes at time 0 only."""
        return self.info.v_init_mv

    @v_init.setter
    def v_init(self, value: float) -> None:
        self._session.configure(v_init_mv=value)

    def set_opsin(self, params: Mapping[str, float]) -> Env:
        """The opsin's numbers: g0 (pS), E, v0 (mV), k_a, k_r, Gd, Gr0 (1/ms), p, q, phi_m."""
        self._session.configure(opsin=checks.mapping("opsin", params, "numbers by name"))
        return self

    # --- plasticity ----------------------------------------------------------------------------

    def enable_plasticity(self, config: Mapping[str, Any] | None = None) -> Env:
        """Lets synapses learn, by livn's rules or with the numbers of `config` changed.

        Args:
            config: {"EXC": {...}, "INH": {...}}, or {...} for both; None: livn's numbers.
        """
        rules = _livns_rules()
        if config is not None:
            checks.mapping("plasticity", config, "numbers by name, or such by EXC and INH")
            grouped = any(isinstance(v, Mapping) for v in config.values())
            changes = config if grouped else dict.fromkeys(rules, config)
            rules = {group: dict(rule) for group, rule in self._rules.items()}
            for group, rule in changes.items():
                rule = checks.mapping(f"plasticity[{group}]", rule, "a mapping of numbers")
                rules.setdefault(group, {}).update(rule)
        self._session.configure(plasticity=rules, plasticity_on=True)
        self._rules = rules
        return self

    def disable_plasticity(self) -> Env:
        """Stops learning; what was learned stays in force."""
        self._session.configure(plasticity_on=False)
        return self

    def normalize_weights(self, target: float | None = None) -> Env:
        """Scales every cell's learned weights so that they sum to `target` (None: their number)."""
        self._session.configure(normalize_weights=True, normalize_target=target)
        return self

    def get_weights(self) -> dict[tuple[int, int, str], float]:
        """Learned weights by (gid, syn_id, livn's name of the mechanism)."""
        learned = self._session.describe(learned_weights=True).learned
        assert learned is not None  # it was asked for
        keys = zip(learned.target_gids, learned.syn_ids, learned.receptors, strict=True)
        return {
            (int(gid), int(syn_id), _MECHANISMS[receptor]): float(w)
            for (gid, syn_id, receptor), w in zip(keys, learned.weights[0], strict=True)
        }

    # --- recording -----------------------------------------------------------------------------

    def record(
        self, what: str, population: str | Sequence[str] | None = None, **options: Any
    ) -> Env:
        """Records a signal by its name; options as those of the method record_NAME."""
        checks.choice("what", what, self.recordable())
        if population is not None:
            options["population"] = population
        return getattr(self, f"record_{what}")(**options)

    def recordable(self) -> list[str]:
        """What record() takes."""
        methods = (name for name in dir(type(self)) if name.startswith("record_"))
        return [name.removeprefix("record_") for name in methods]

    def record_spikes(self, population: str | Sequence[str] | None = None) -> Env:
        """Records the spikes of populations' cells; None: of all."""
        return self._record(lambda r: r.add_spikes(self._info, population))

    def record_voltage(
        self,
        population: str | Sequence[str] | None = None,
        dt: float = 0.1,
        gids: Iterable[int] | None = None,
        sections: str | Sequence[str] | None = None,
    ) -> Env:
        """Records voltages every dt ms; None: of all populations, cells, sections."""
        return self._record(
            lambda r: r.add_rows(self._info, "voltage_mv", population, dt, gids, sections)
        )

    def record_state(
        self,
        state: str,
        population: str | Sequence[str] | None = None,
        dt: float = 0.1,
        gids: Iterable[int] | None = None,
        sections: str | Sequence[str] | None = None,
    ) -> Env:
        """Records a state of the model, by a name of info.populations[...].states."""
        signal = f"state {checks.text('state', state)}"
        return self._record(
            lambda r: r.add_rows(self._info, signal, population, dt, gids, sections)
        )

    def record_membrane_current(
        self, population: str | Sequence[str] | None = None, dt: float = 0.1
    ) -> Env:
        """Records membrane currents every dt ms, two sections a cell."""
        return self._record(lambda r: r.add_membrane_currents(self._info, population, dt))

    def record_electrode_potential(self, dt: float = 0.1) -> Env:
        """Records what every electrode hears of the membrane currents."""
        return self._record(lambda r: r.add_all("electrode_potential_uv", dt))

    def record_weights(self, dt: float = 0.1) -> Env:
        """Records every learned weight; samples lie at the start of the run and every dt ms."""
        return self._record(lambda r: r.add_all("learned_weight", dt))

    def use_codings(self, encoding: Any = None, decodings: Sequence[Any] | None = None) -> Env:
        """Makes the server encode run()'s features, and decode what a run did (docs/codings.md).

        Args:
            encoding: a name, or {"name": "rate", "step_ms": 25, ...}; "": none; None: as it is.
            decodings: names, or {"name": "firing_rates", "units": "cells"} ...; what they give is
                in Run.decoded. None: as it is.

        Raises:
            InvalidFieldError: nothing has changed.
        """
        before = self._decodings
        if decodings is not None:
            self._decodings = tuple(checks.entries("decodings", decodings, "a list"))
        try:
            self._session.configure(
                encoding=encoding,
                spikes=self._recordings.spikes,
                spike_populations=self._recordings.spike_populations,
                series=self._recordings.series(),
                decodings=self._decodings,
            )
        except LivndError:
            self._decodings = before
            raise
        self._info = self._session.describe()
        return self

    def clear_recordings(self) -> Env:
        """Does nothing: every Run has arrays of its own. For programs written for livn."""
        return self

    def channel_recording(
        self, ii: Any | None, *recordings: Any
    ) -> dict[int, np.ndarray] | tuple[dict[int, np.ndarray], ...]:
        """What each electrode sees of recordings of cells, by electrode id.

        An electrode sees the cells whose somata are within its output radius.

        Args:
            ii: gid of each row, as run.spike_ids or run.voltage_ids; None: all cells, each once.
            recordings: arrays of as many rows, as run.spike_times or run.voltage.

        Returns:
            The gids that each electrode sees; with recordings a tuple of them and of each
            recording's rows.
        """
        radius_um = self.info.params.get("io-output_radius", self.system.output_radius_um)
        ii = np.unique(self.active_gids()) if ii is None else ii
        return by_channel(self.system, self.active_gids(), float(radius_um), ii, recordings)

    def potential_recording(self, membrane_currents: Any, gids: Any | None = None) -> np.ndarray:
        """What each electrode hears of membrane currents, uV, [electrodes, samples].

        Args:
            membrane_currents: uA, [rows, samples], as run.current.
            gids: of each row, as run.current_ids; None: of all built cells, as
                record_membrane_current() has them.
        """
        hearing = self._session.describe(electrode_hearing=True).hearing
        assert hearing is not None  # it was asked for
        return potentials(hearing, membrane_currents, gids)

    def _record(self, add: Callable[[Recordings], None]) -> Env:
        """Chooses more to be recorded, which the server takes at once or refuses.

        A sampling step that does not fit the culture's time step may fit the one that the first
        run brings along, so until then it waits.
        """
        before = self._recordings
        chosen = before.copy()
        add(chosen)
        try:
            self._send(chosen)
        except InvalidFieldError as error:
            if self._ticks > 0 or not _is_sampling_step(error):
                raise
            chosen.let_wait(before)
        self._recordings = chosen
        return self

    def _send(self, recordings: Recordings, dt: float | None = None) -> None:
        """Asks the server to record so, with a time step of dt."""
        was_sent, self._recordings_sent = self._recordings_sent, False
        try:
            self._session.configure(
                dt_ms=dt,
                spikes=recordings.spikes,
                spike_populations=recordings.spike_populations,
                series=recordings.series(),
                decodings=self._decodings,
            )
        except LivndError as error:
            self._recordings_sent = was_sent and not error.in_doubt
            raise
        self._recordings_sent = True

    # --- running -------------------------------------------------------------------------------

    def run(
        self,
        duration: float,
        stimulus: Any = None,
        dt: float | None = None,
        *,
        features: Any = None,
    ) -> Run:
        """Runs on for `duration` ms.

        Args:
            duration: ms.
            stimulus: a Stimulus (livnd's or livn's), its array, its arguments in order (array, dt)
                or by name {"array": array, "dt": dt}; None: nothing new. What an earlier stimulus
                has left still acts.
            dt: the time step, 0.025 ms at first; changes at time 0 only.
            features: [steps, inputs], what the encoding of use_codings() is given; [inputs] for
                one step. The run has to last so many steps.

        Raises:
            InvalidFieldError: nothing happened.
            RunStartedError: another dt in the middle; clear() first.
            NumericalFailureError: the culture's numbers left their range; its `run` holds what was
                recorded until then, and clear() starts anew.
        """
        stimuli = []
        if stimulus is not None:
            electrodes = self.system.electrode_ids
            stimuli.append(to_culture_stimulus(stimulus, self._info, electrodes, self._timing))
        dt = (
            checks.number("dt", dt)
            if dt is not None
            else self._dt
            if self._dt is not None
            else _DEFAULT_DT_MS
        )
        undo = self._prepare(dt)
        try:
            given = None if features is None else np.asarray(features)[np.newaxis]
            recording = self._session.run(duration, stimuli, features=given)
        except LivndError as error:
            if not error.in_doubt:
                undo()
            raise
        self._dt = dt
        self._ticks = recording.start_tick + recording.num_ticks
        result = self._recordings.to_run(self._info, self.system.electrode_ids, recording)
        if not np.isnan(recording.failed_at_ms[0]):
            failure = NumericalFailureError(
                f"the culture left the range of numbers after {recording.failed_at_ms[0]:g} ms; "
                "clear() starts anew",
                reason="NUMERICAL_FAILURE",
            )
            failure.run = result
            raise failure
        return result

    def copies(self, num: int) -> Copies:
        """`num` copies of the culture in a session of their own, each as this one is now."""
        num = checks.integer("num", num, "1 or more", 1, 2**31)
        if self._recordings.has_waiting or not self._recordings_sent:
            self._prepare(self._info.dt_ms)
        (session,) = self._session.fork(copy_of=[0] * num)
        return Copies(session, self._info, self.system, self._recordings.copy(), self._timing)

    def _prepare(self, dt: float) -> Callable[[], None]:
        """Gives the server the time step and the recordings of a run; returns what undoes it."""
        info, before = self._info, self._recordings
        if dt == info.dt_ms and self._recordings_sent and not before.has_waiting:
            return lambda: None
        chosen = before.with_waiting()
        try:
            self._send(chosen, dt if dt != info.dt_ms else None)
        except InvalidFieldError as error:
            # A sampling step that fits this run neither would have all later ones refused.
            if _is_sampling_step(error):
                self._recordings = before.without_waiting()
            raise
        self._recordings = chosen
        if dt != info.dt_ms:
            self._info = self._session.describe()

        def undo() -> None:
            self._send(before.without_waiting(), info.dt_ms if dt != info.dt_ms else None)
            self._recordings, self._info = before, info

        return undo

    def cell_stimulus(self, channel_inputs: Any, dt: float = 1.0) -> Stimulus:
        """A stimulus by electrodes: uA, [num_samples, electrodes], in declared order."""
        return Stimulus(channel_inputs, dt=dt, input_mode="electrode")

    def play_input_spikes(self, spikes: Mapping[int, Sequence[float]]) -> Env:
        """Spike times of event sources, ms since the last clear; they stay over clear()."""
        self._session.configure(input_spikes=spikes)
        return self

    def clear(
        self, reseed: bool = True, *, keep_learned_weights: bool = True, seed: int | None = None
    ) -> Env:
        """Back to time 0, at rest; parameters, recordings and input spikes stay.

        Args:
            reseed: go on to the next noise stream, so that the next run is another one.
            keep_learned_weights: False does as livn, whose learned weights become 1.
            seed: of the noise from now on, which begins with its first stream; None: the same.
        """
        (self.seed,) = self._session.clear(
            None if seed is None else [checks.seed("seed", seed)],
            repeat_noise=not checks.flag("reseed", reseed),
            forget_learned_weights=not checks.flag("keep_learned_weights", keep_learned_weights),
        ).tolist()
        self._ticks = 0
        self._dt = None
        return self


def _livns_rules() -> dict[str, dict[str, float]]:
    """Learning rules of which every number is livn's."""
    return {"EXC": {}, "INH": {}}


def _is_sampling_step(error: LivndError) -> bool:
    return error.field.endswith(".sample_dt_ms")


def make(system: str = "EI-mini", **kwargs: Any) -> Env:
    """An Env with the system's default parameters, as livn.make gives it; arguments as Env."""
    env = Env(system, **kwargs)
    try:
        return env.apply_default_params()
    except BaseException:
        env.close()
        raise
