"""livn's Env on a livnd server: what LIVN_BACKEND=livnd.livn makes livn's programs use.

System, model, devices, stimuli, policies, decodings and runs are livn's own; the culture is the
server's. docs/livn.md lists every member.
"""

from __future__ import annotations

import contextlib
import inspect
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from livn.run import Run
from livn.stimulus import Stimulus
from livn.types import Capability
from livn.types import Env as EnvProtocol

from livnd.client import Client
from livnd.culture import CultureInfo, CultureSession
from livnd.livn.backend import models, parallel, runs, stimuli, systems
from livnd.livn.backend.cells import ServerCell, ServerCells
from livnd.livn.backend.keys import receptor_keys, synapse_params
from livnd.livn.backend.plasticity import Plasticity
from livnd.livn.backend.recordings import Recordings
from livnd.livn.backend.stimuli import QUANTITIES, Mode, columns_that_act, photons_per_mw_s

_DEFAULT_DT_MS = 0.025


class Env(Plasticity, EnvProtocol):
    """One culture on a server, with the members of livn's Env.

    Args:
        system: a folder, a livn System, or what livn's resolve() takes.
        model: livn's ReducedCalciumSomaDendrite, GLIF or Izhikevich; None: the system's.
        io: livn's device; None: the system's.
        seed: of the noise.
        comm, subworld_size: handed on to livn's System.
    """

    capabilities = frozenset(
        {
            Capability.SIMULATION,
            Capability.NOISE,
            Capability.REPLAYABLE_NOISE,
            Capability.PLASTICITY,
            Capability.PER_GID_VOLTAGE,
            Capability.EXTRACELLULAR_STIMULUS,
        }
    )

    def __init__(
        self,
        system: Any,
        model: Any = None,
        io: Any = None,
        seed: int | None = 123,
        comm: Any = None,
        subworld_size: int | None = None,
    ) -> None:
        from livn.system import resolve

        self._client: Client | None = None
        self._session: CultureSession | None = None
        self.seed = seed
        self.comm = comm
        self.subworld_size = subworld_size
        self.system = resolve(system, comm=comm)
        self.model = model if model is not None else self.system.default_model(comm=comm)
        self.io = io if io is not None else self.system.default_io(comm=comm)
        self.encoding: Any = None
        self.decoding: Any = None
        self.duration: float | None = None
        self.cells = ServerCells(self, comm=comm)
        self._select: tuple[Any, str, Any] = (None, "first", None)
        self._selected_gids: set[int] | None = None
        self._v_init = -75.0
        self._noise_stream = 0
        self.t = 0.0
        self._start()

    def _start(self) -> None:
        """What a culture has that nothing was done with."""
        self.t = 0.0
        self._clock = runs.Clock()
        self._dt: float | None = None
        self._noise: dict[str, Any] = {}
        self._start_plasticity()
        self._modes = {name: Mode(name) for name in QUANTITIES}
        self._recordings = Recordings()
        self._layout: Any = None  # of the membrane currents in a run

    def __del__(self) -> None:
        with contextlib.suppress(Exception):
            self.close()

    # --- making --------------------------------------------------------------------------------

    def selection(self, select: Any, method: str = "first", bounds: Any = None) -> Env:
        if self.cells:
            raise RuntimeError("selection() has to be called before init()")
        self._select = (select, method, bounds)
        return self

    @property
    def selection_name(self) -> str | None:
        return self._select[0] if isinstance(self._select[0], str) else None

    def init(self) -> Env:
        """Makes the culture on the server; the second time another one in its place."""
        document = models.to_document(self.model)
        self.close()
        self._client, name = systems.connect(self.system)
        try:
            self._session = self._client.create_culture(name)
            self._session.clear([self._server_seed()])
            self._session.configure(
                selection=self._resolved_selection(),
                model=None if document == self._systems_document() else document,
                forget_params=True,
                v_init_mv=self._v_init,
                spikes=False,
            )
            self._start()
            self._info: CultureInfo = self._session.describe()
            self._add_cells()
            sections = {p.name: p.sections for p in self._info.populations}
            self._opsin = models.opsin_of(self.model, sections)
            if self._opsin is not None and self._opsin.params:
                self._session.configure(opsin=self._opsin.params)
        except BaseException:
            self.close()
            raise
        return self

    def _systems_document(self) -> dict[str, Any] | None:
        """The model that the server takes for the system."""
        try:
            return models.to_document(self.system.default_model(comm=self.comm))
        except Exception:  # whatever is wrong with it, it is not the one that is asked for
            return None

    def _resolved_selection(self) -> dict[str, Any] | None:
        select, method, bounds = self._select
        ignored = set(self.model.ignored_populations())
        types = self.model.cell_types() if hasattr(self.model, "cell_types") else None
        built = [
            p for p in self.system.populations if p not in ignored and (types is None or p in types)
        ]
        chosen = self.system.selection(
            select, populations=built, seed=self.seed, method=method, bounds=bounds
        )
        self._selected_gids = None
        if chosen is None and parallel.is_parallel(self.system):
            # The server may have more cells than these.
            return {p: gids for p, gids in parallel.gids_of(self.system).items() if p in built}
        if chosen is None:
            return None
        gids = {p: sorted(int(g) for g in found) for p, found in chosen.items() if len(found)}
        self._selected_gids = {gid for found in gids.values() for gid in found}
        return gids

    def _add_cells(self) -> None:
        self._num_sections: dict[int, int] = {}
        populations = {p.name: p for p in self._info.populations}
        for name in self.system.populations:
            if name in populations and len(populations[name].gids):
                sections = populations[name].sections
                cells = {g: ServerCell(self, name, g, sections) for g in populations[name].gids}
                self.cells.add(name, cells)
                self._num_sections.update(dict.fromkeys(map(int, cells), len(sections)))

    def _server_seed(self) -> int:
        return int(self.seed if self.seed is not None else 0) % 2**32

    def _culture(self, what: str) -> CultureSession:
        if self._session is None:
            raise RuntimeError(f"call init() before {what}()")
        return self._session

    def close(self) -> Env:
        client, self._client, self._session = self._client, None, None
        if client is not None:
            client.close()
            self.cells.clear()
            self._start()
        return self

    # --- parameters ----------------------------------------------------------------------------

    def apply_model_defaults(self, weights: bool = True, noise: bool = True) -> Env:
        # livn's models name their tables by backend; livnd's engine is the native one's.
        if weights:
            table = self.model.default_weights(self.system.name, backend="native", default={})
            self.set_weights(table)
        if noise:
            self.set_noise(self.model.default_noise(self.system.name, backend="native", default={}))
        return self

    @property
    def weight_names(self) -> list[str]:
        if self._session is None:
            return []
        known = [key for key in self._info.accepted_params if key.endswith("-weight")]
        names = []
        for post, pre, _section, receptor, _type in self.system.synapse_projections():
            start, end = f"{post}_{pre}-", f"-{receptor}-weight"
            for key in sorted(k for k in known if k.startswith(start) and k.endswith(end)):
                if key not in names:
                    names.append(key)
        return names

    def admissible_params(self, cells: bool = False) -> dict[str, list[str]]:
        accepted = self._info.accepted_params if self._session is not None else ()
        weights = self.weight_names
        return {
            "weights": weights,
            "mechanisms": receptor_keys(accepted),
            "noise": [f"noise-{name}" for name in self._noise_names()],
            "cells": [f"cells-{name}" for name in self.cells.get_params()] if cells else [],
        }

    def set_weights(self, weights: Mapping[str, Any]) -> Env:
        session = self._culture("set_weights")
        params = synapse_params(weights, self._info.accepted_params, self.system.populations)
        if params:
            session.configure(params=params)
        return self

    def tell_cells(self, params: Mapping[str, Any]) -> None:
        """Sets the server's parameters of cells; of livnd's own."""
        self._culture("set_params").configure(params=params)

    def apply_init_ic(self) -> None:
        """Nothing: the server has fitted the resting currents to every change of the cells."""

    def _noise_names(self) -> list[str]:
        configure = getattr(self.model, "neuron_noise_configure", None)
        if configure is None:
            return []
        passed = ("self", "population", "mechanism", "state")
        return [name for name in inspect.signature(configure).parameters if name not in passed]

    def set_noise(self, noise: Mapping[str, Any]) -> Env:
        names = self._noise_names()
        if not names:
            return self
        session = self._culture("set_noise")
        populations = set(self.cells)
        for key in noise:
            population, dash, name = key.partition("-")
            if dash and population not in populations:
                raise KeyError(
                    f"{key!r} names population {population!r}, which this env does not build; "
                    f"it has {', '.join(sorted(populations))}"
                )
            if (name if dash else key) not in names:
                raise TypeError(f"{key!r} is no noise; there is {', '.join(names)}")
        params = {f"noise-{key}": float(value) for key, value in noise.items()}
        if not params and not self._noise:
            params = {"noise-tau_e": 2.728}  # livn's default: any number switches the noise on
        if params:
            session.configure(params=params)
        self._noise.update(params)
        return self

    def reseed_noise(self, stream: int | None = None) -> Env:
        self._noise_stream = self._noise_stream + 1 if stream is None else int(stream)
        if self._session is not None:
            self._session.configure(noise_stream=self._noise_stream)
        return self

    @property
    def has_run(self) -> bool:
        """Whether there was a run since init(); of livnd's own."""
        return self._clock.dt is not None

    @property
    def v_init(self) -> float:
        return self._v_init

    @v_init.setter
    def v_init(self, value: float) -> None:
        if self.t != 0.0:
            raise RuntimeError("v_init is where a culture starts from; clear() before it changes")
        if self._session is not None:
            self._session.configure(v_init_mv=float(value))
        self._v_init = float(value)

    # --- recording -----------------------------------------------------------------------------

    def _record_spikes(self, population: str) -> Env:
        if population in self.cells and population not in self._recordings.spikes:
            self._recordings.spikes.append(population)
        return self

    def _record_voltage(
        self, population: str, dt: float, gids: Any = None, sections: Any = None
    ) -> Env:
        rows = self._recordings.voltage
        before = rows.dt.get(population)
        if before is not None and abs(before - dt) > 1e-12 and len(rows):
            raise ValueError(
                f"the voltages of {population} are recorded every {before} ms already, and one "
                f"channel has one sampling step, not {dt} ms too"
            )
        wanted = None if sections is None else {str(section) for section in sections}
        sites = {
            (int(gid), section): name
            for gid, cell in self.cells.get(population, {}).items()
            if gids is None or int(gid) in gids
            for section, name in enumerate(cell.section_names)
            if wanted is None or name in wanted
        }
        rows.add(population, dt, sites)
        return self

    def _record_membrane_current(self, population: str, dt: float) -> Env:
        cells = self.cells.get(population, {})
        per_cell = self.recording_sections_per_cell(population) if cells else 0
        if per_cell:
            sites = {
                (int(gid), section): name
                for gid, cell in cells.items()
                for section, name in enumerate(cell.section_names[:per_cell])
            }
            self._recordings.current.add(population, dt, sites)
        return self

    @property
    def voltage_recording_dt(self) -> float:
        return self._recordings.voltage.sampled_dt()

    @property
    def membrane_current_recording_dt(self) -> float:
        return self._recordings.current.sampled_dt()

    # --- running -------------------------------------------------------------------------------

    def run(
        self, duration: float, stimulus: Any = None, dt: float | None = None, **kwargs: Any
    ) -> Run:
        session = self._culture("run")
        if not 0.0 <= duration < math.inf:
            raise ValueError(f"a run cannot last {duration} ms")
        time_ms = self.t
        wanted = self._dt or _DEFAULT_DT_MS if dt is None else dt
        is_first = time_ms == 0.0
        if not is_first and abs(wanted - self._dt) > 1e-12:
            raise ValueError(
                f"the time step is {self._dt} ms since the last clear() and cannot be {wanted} ms"
            )
        self.duration = duration
        try:
            if is_first:
                self._begin(session, wanted)
            for mode in self._modes.values():
                mode.prune(time_ms)
            if stimulus is not None:
                self._install(Stimulus.from_arg(stimulus, env=self, duration=duration))
            modes = self._modes.values()
            stride = self._weights_stride(self._clock.dt)
            recorded = runs.run(
                session, self._clock, self._recordings, modes, time_ms, duration, stride
            )
        finally:
            self.duration = None
        self._keep_weights(recorded.weights)
        self._learned = self._learned or self._plasticity_enabled
        self.t = time_ms + duration
        return self._to_run(recorded, time_ms, duration)

    def _begin(self, session: CultureSession, dt: float) -> None:
        """What happens at time 0: the time step holds, and learned weights are 1 as in livn."""
        if self._learned:
            session.clear(noise_stream=self._noise_stream, forget_learned_weights=True)
            self._learned = False
        if self._clock.dt != dt:
            session.configure(dt_ms=dt)
        self._clock.start(dt)
        self._dt = dt

    def _to_run(self, recorded: runs.Recorded, time_ms: float, duration: float) -> Run:
        run = Run(t0=time_ms, duration=duration)
        run = run.add_spikes(recorded.spike_gids, recorded.spike_times)
        rows = self._recordings.voltage
        if len(rows):
            dt, sections = self.voltage_recording_dt, rows.sections.copy()
            run = run.add_voltage(rows.gids.copy(), recorded.voltage, dt=dt, sections=sections)
        if recorded.current.size:
            gids, row_of = self._current_layout()
            values = np.where(row_of[:, None] < 0, np.float32(0.0), recorded.current[row_of])
            run = run.add_current(gids.copy(), values, dt=self.membrane_current_recording_dt)
        return run

    def _current_layout(self) -> tuple[np.ndarray, np.ndarray]:
        """The gid of each of the model's recording sites, and its recorded row; -1: none."""
        rows = self._recordings.current
        if self._layout is None or self._layout[0] != rows.version:
            sites = np.asarray(self.recording_coordinates(simulated_only=True))
            gids = sites[:, 0].astype(np.int32)
            recorded, seen = rows.row_of(), dict.fromkeys(gids.tolist(), 0)
            row_of = np.empty(len(gids), dtype=int)
            for site, gid in enumerate(gids.tolist()):
                row_of[site] = recorded.get((gid, seen[gid]), -1)
                seen[gid] += 1
            self._layout = (rows.version, gids, row_of)
        return self._layout[1:]

    def _install(self, stimulus: Any) -> None:
        """Lets a stimulus act from now on."""
        stimulus = self.model.prepare_stimulus(stimulus)
        name = stimulus.input_mode
        if name not in QUANTITIES:
            raise ValueError(f"livnd has no {name!r} stimuli; it has {', '.join(QUANTITIES)}")
        scale, lit = 1.0, None
        if name == "irradiance":
            scale, lit = self._light(stimulus)
        self._name_gids(stimulus)
        declared = getattr(self.model, "stimulus_bounds", None)
        bounds = declared(name) if declared else None
        columns = columns_that_act(stimulus, self._num_sections, lit)
        self._modes[name].add(stimulus, columns, self.t, bounds, scale)

    def _light(self, stimulus: Any) -> tuple[float, frozenset[int]]:
        """Photons of a stimulus, and the cells that see them."""
        wavelength_nm = stimulus.extra.get("wavelength_nm")
        if wavelength_nm is None:
            wavelength_nm = self._opsin.wavelength_nm if self._opsin else 473.0
        scale = 1.0 if stimulus.units == "photon_flux" else photons_per_mw_s(wavelength_nm)
        mode = self._modes["irradiance"]
        if mode.is_active and abs(scale - mode.scale) > 1e-9 * max(scale, mode.scale):
            raise ValueError(
                "light of another wavelength is still on its way; clear() before it changes"
            )
        if self._opsin is None or not self._opsin.populations:
            raise ValueError("irradiance acts on opsins, and the model's opsin_config() has none")
        lit = {int(g) for p in self._opsin.populations for g in self.cells[p]}
        return scale, frozenset(lit)

    def _name_gids(self, stimulus: Any) -> None:
        """Gives a stimulus that names no cells those of its columns, as livn does."""
        if stimulus.gids is not None:
            return
        gids = self.active_gids()
        per_cell, rest = divmod(len(stimulus), max(1, len(gids)))
        if rest:
            raise ValueError(
                f"the stimulus has {len(stimulus)} columns, which are no whole number for each of "
                f"{len(gids)} cells: name the cell of each by `gids`"
            )
        if len(stimulus) == len(gids) and stimulus.input_mode != "extracellular":
            stimulus.gids = gids
        else:
            stimulus.gids = np.repeat(gids, max(1, per_cell))

    def clear(self, reseed: bool = True) -> Env:
        if reseed:
            self._noise_stream += 1
        if self._session is not None:
            self._session.clear(noise_stream=self._noise_stream)
        self.t = 0.0
        self._dt = None
        self._clock.clear()
        self._modes = {name: Mode(name) for name in QUANTITIES}
        self._clear_weights()
        return self

    # --- event sources -------------------------------------------------------------------------

    @property
    def input_gids(self) -> list[int]:
        return self._info.input_gids.tolist() if self._session is not None else []

    def play_input_spikes(self, spikes: Mapping[int, Any]) -> Env:
        session = self._culture("play_input_spikes")
        known = set(self.input_gids)
        trains = {
            int(gid): np.asarray(times, dtype=float).ravel()
            for gid, times in spikes.items()
            if int(gid) in known
        }
        if trains:
            session.configure(input_spikes=trains)
        return self

    def apply_stimulus_from_h5(
        self,
        filepath: str,
        namespace: str,
        attribute: str = "Spike Train",
        onset: float = 0.0,
        io_size: int = 1,
        microcircuit_inputs: bool = True,
        n_trials: int = 1,
        equilibration_duration: float = 250.0,
    ) -> Env:
        """Lets the system's event sources fire as a NeuroH5 file has it.

        As in livn `io_size`, `microcircuit_inputs` and `n_trials` do nothing.

        Raises:
            FileNotFoundError: there is no such file.
        """
        trains = stimuli.input_trains(self.system, self.input_gids, filepath, namespace, attribute)
        shift_ms = float(equilibration_duration) + float(onset)
        return self.play_input_spikes({gid: train + shift_ms for gid, train in trains.items()})

    # --- livn's names for tools ----------------------------------------------------------------

    @property
    def _stim_rows(self) -> dict[tuple[int, int], int]:
        return self._modes["extracellular"].rows()

    @property
    def _stim_block(self) -> np.ndarray | None:
        return self._modes["extracellular"].block()

    @property
    def _stim_streams(self) -> list[dict[str, Any]]:
        return self._modes["extracellular"].streams()

    @property
    def _stim_dt(self) -> float | None:
        return self._modes["extracellular"].dt
