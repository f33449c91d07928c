"""A session on a culture without a task: run it, stimulate it, record it, change it.

The verbs of the protocol (proto/livnd/v1/culture_service.proto), for any number of copies.
livnd.Env (livn/) is the same for one copy under livn's names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from livnd import checks
from livnd._proto import pb
from livnd.codings import Decoded, EncodingInput, decoding_selection, encoding_selection
from livnd.culture_setup import cell_model, cell_selection
from livnd.device import DeviceInfo, LightArrayInfo
from livnd.device import device as device_message
from livnd.device import light_array as fibers
from livnd.errors import LivndError, invalid_field
from livnd.pulse_plan import ElectrodeCharges, pulse_plan
from livnd.series import SeriesSelection, messages_of, sites_message
from livnd.session import Session
from livnd.tensors import decode, encode

_STIMULI = {
    "extracellular_mv": pb.STIMULUS_QUANTITY_EXTRACELLULAR_MV,
    "current_na": pb.STIMULUS_QUANTITY_CURRENT_NA,
    "current_density_ma_cm2": pb.STIMULUS_QUANTITY_CURRENT_DENSITY_MA_CM2,
    "electrode_ua": pb.STIMULUS_QUANTITY_ELECTRODE_UA,
    "irradiance_mw_mm2": pb.STIMULUS_QUANTITY_IRRADIANCE_MW_MM2,
    "photon_flux": pb.STIMULUS_QUANTITY_PHOTON_FLUX,
    "fiber_mw": pb.STIMULUS_QUANTITY_FIBER_MW,
}
TIMINGS = {"exact": pb.SAMPLE_TIMING_EXACT, "livn": pb.SAMPLE_TIMING_LIVN}
# livn's names -> fields.
_OPSIN = {
    "g0": "g0_ps",
    "E": "e_mv",
    "v0": "v0_mv",
    "k_a": "k_a",
    "k_r": "k_r",
    "Gd": "gd_per_ms",
    "Gr0": "gr0_per_ms",
    "p": "p",
    "q": "q",
    "phi_m": "phi_m",
}
_RULE = {
    "A_ltp": "a_ltp",
    "A_ltd": "a_ltd",
    "theta_ltp": "theta_ltp",
    "theta_ltd": "theta_ltd",
    "ltp_sigmoid_half": "ltp_sigmoid_half",
    "ltd_sigmoid_half": "ltd_sigmoid_half",
    "learning_slope": "learning_slope",
    "learning_tau": "learning_tau",
    "w_max": "w_max",
    "w_min": "w_min",
}


@dataclass(frozen=True, eq=False)
class CultureStimulus:
    """Samples of channels from the start of a run on; 0 after the last one.

    Attributes:
        quantity: "extracellular_mv", "current_na", "current_density_ma_cm2", "electrode_ua",
            "irradiance_mw_mm2", "photon_flux" or "fiber_mw"; how each acts is told in
            culture.proto.
        samples: float [num_samples, channels], or [num_envs, num_samples, channels].
        sample_dt_ms: time between two samples; with the timing "exact" a multiple of the culture's
            dt_ms.
        channels: (gid, section) of each channel, or for "electrode_ua" and "fiber_mw" ids.
        wavelength_nm: of "irradiance_mw_mm2".
        timing: which steps a sample belongs to. "exact": each to equally many, from the start of
            the run on; "livn": livn's rule, with its rounding (culture.proto, SampleTiming).
    """

    quantity: str
    samples: Any
    sample_dt_ms: float
    channels: Sequence[Any]
    wavelength_nm: float = 473.0
    timing: str = "exact"

    def to_message(self) -> Any:
        message = pb.CultureStimulus(
            quantity=_STIMULI[checks.choice("quantity", self.quantity, _STIMULI)],
            sample_dt_ms=checks.number("sample_dt_ms", self.sample_dt_ms),
            samples=encode(checks.array("samples", self.samples), np.float64),
            wavelength_nm=checks.number("wavelength_nm", self.wavelength_nm),
            timing=TIMINGS[checks.choice("timing", self.timing, TIMINGS)],
        )
        if self.quantity in ("electrode_ua", "fiber_mw"):
            ids = checks.integers("channels", self.channels, "ids of electrodes or fibres")
            message.electrodes.CopyFrom(encode(ids, np.int64))
        else:
            message.sites.CopyFrom(sites_message("channels", self.channels))
        return message


@dataclass(frozen=True, eq=False)
class Recording:
    """What one run left; every array is the caller's own."""

    start_tick: int  # since the last clear
    num_ticks: int
    tick_ns: int  # a tick's length, to whole ns
    spike_offsets: np.ndarray  # int64 [num_envs + 1]: copy c has spikes offsets[c]:offsets[c + 1]
    spike_gids: np.ndarray  # int64 [num_spikes]
    spike_ticks: np.ndarray  # int64 [num_spikes], since the last clear
    spike_times_ms: np.ndarray  # float64 [num_spikes], since the start of the run
    series: tuple[np.ndarray, ...]  # in the order selected, each [num_envs, rows, num_samples]
    failed_at_ms: np.ndarray  # float64 [num_envs]: good up to here; NaN: nothing failed
    charges: ElectrodeCharges | None = None  # of the plan, where run() was asked for it
    decoded: tuple[Decoded, ...] = ()  # in the order of configure()'s decodings

    def spikes(self, copy: int = 0) -> tuple[np.ndarray, np.ndarray]:
        """(gids, times in ms since the start of the run) of one copy, by time."""
        window = slice(self.spike_offsets[copy], self.spike_offsets[copy + 1])
        return self.spike_gids[window], self.spike_times_ms[window]


@dataclass(frozen=True, eq=False)
class CulturePopulation:
    """Cells of one kind that are simulated."""

    name: str
    gids: np.ndarray  # int64, ascending
    sections: tuple[str, ...]
    states: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class LearnedWeights:
    """The connections that can learn; each weight is a factor of the connection's own."""

    source_gids: np.ndarray  # int64 [connections]
    target_gids: np.ndarray
    syn_ids: np.ndarray
    receptors: tuple[str, ...]  # [connections]
    weights: np.ndarray  # float64 [num_envs, connections]


@dataclass(frozen=True, eq=False)
class ElectrodeHearing:
    """How electrodes hear membrane currents: potentials (uV) are gains @ currents (uA)."""

    gids: np.ndarray  # int64 [sites]: two of every cell built, or one where it has no more, by gid
    sections: np.ndarray  # int64 [sites], the soma (0) first
    gains: np.ndarray  # float64 [electrodes, sites], uV/uA; 0 beyond the array's output radius


@dataclass(frozen=True, eq=False)
class CultureInfo:
    """A culture's cells, parameters and clock (GetCulture)."""

    populations: tuple[CulturePopulation, ...]
    input_gids: np.ndarray
    params: dict[str, Any]  # as they were set, in order: a number, or one a cell
    accepted_params: tuple[str, ...]  # "cells-" keys aside
    dt_ms: float
    v_init_mv: float
    tick_ns: int
    ticks: int  # since the last clear
    num_clears: int
    failed_at_ms: np.ndarray  # float64 [num_envs], ms since the last clear; NaN: good
    seeds: np.ndarray  # uint64 [num_envs]
    noise_stream: int
    plasticity_on: bool
    learned: LearnedWeights | None
    hearing: ElectrodeHearing | None
    device: DeviceInfo | None  # None: there are no electrodes
    light_array: LightArrayInfo | None
    encoding: str  # the name of what run()'s features become; "": there is none
    encoding_inputs: tuple[EncodingInput, ...]

    @property
    def gids(self) -> np.ndarray:
        """Of all simulated cells, ascending."""
        return np.sort(np.concatenate([p.gids for p in self.populations] or [np.zeros(0, int)]))


class CultureSession(Session):
    """num_envs copies of a culture; made by Client.create_session or Client.create_culture.

    clear() puts all copies back to time 0 and comes first. There are no episodes: run() takes the
    place of step(). All copies have one clock and the same parameters.
    """

    def reset(self, *args: Any, **kwargs: Any) -> Any:
        raise LivndError("a culture has no episodes: use clear(seeds)")

    def step(self, *actions: Any) -> Any:
        raise LivndError("a culture has no steps: use run(duration_ms, stimuli)")

    def observe(self) -> Any:
        raise LivndError("a culture has no observations: use describe()")

    def clear(
        self,
        seeds: Sequence[int | None] | None = None,
        *,
        repeat_noise: bool = False,
        noise_stream: int | None = None,
        forget_learned_weights: bool = False,
    ) -> np.ndarray:
        """Puts all copies back to time 0, at rest; parameters, recording and input spikes stay.

        Args:
            seeds: one entry a copy, 0 .. 2**64 - 1, or None where a copy keeps its own (at first a
                random one); None for all.
            repeat_noise: copies without a seed run their noise stream again, instead of going on
                to the next one.
            noise_stream: which of the seeds' noise streams to run, instead.
            forget_learned_weights: all learned weights become 1 again.

        Returns:
            uint64 [num_envs], the seeds that the copies have now.

        Raises:
            InvalidFieldError: nothing has changed.
            UnknownSessionError, ServerUnavailableError: as Session.step.
        """
        request = pb.ClearRequest(
            session=self.name,
            op_index=self.next_op_index,
            repeat_noise=checks.flag("repeat_noise", repeat_noise),
            forget_learned_weights=checks.flag("forget_learned_weights", forget_learned_weights),
        )
        self._put_seeds(request, seeds)
        if noise_stream is not None:
            request.noise_stream = _stream(noise_stream)
        return decode(self._operate("Clear", request).seeds)

    def run(
        self,
        duration_ms: float,
        stimuli: Iterable[CultureStimulus] = (),
        *,
        plan: Any = None,
        charges: bool = False,
        features: Any = None,
    ) -> Recording:
        """Runs all copies on, and returns what configure() selected (at first the spikes).

        Args:
            duration_ms: how long.
            stimuli: samples from the start of the run on.
            plan: pulses from the start of the run on, over when it is: a dictionary, or YAML or
                JSON as text or at a pathlib.Path (docs/stimuli-and-devices.md).
            charges: also tell what the plan delivers to each electrode.
            features: float [num_envs, steps, inputs], what the encoding of configure() is given;
                [num_envs, inputs] for one step. The run has to last so many steps.

        Raises:
            InvalidFieldError: a duration, channel, number or size is wrong; nothing happened.
            NotResetError: clear first.
            NumericalFailureError: every copy has failed; clear first.
            TooManySpikesError: more spikes than one answer holds; nothing happened, run shorter.
            UnknownOutcomeError, UnknownSessionError, ServerUnavailableError: as Session.step.
        """
        request = pb.RunRequest(
            session=self.name,
            op_index=self.next_op_index,
            duration_ms=checks.number("duration_ms", duration_ms),
            stimuli=messages_of("stimuli", stimuli, CultureStimulus),
            charges=checks.flag("charges", charges),
        )
        if plan is not None:
            request.pulse_plan.CopyFrom(pulse_plan(plan))
        if features is not None:
            numbers = checks.array("features", features, np.float32)
            if numbers.ndim == 2:
                numbers = numbers[:, np.newaxis, :]
            request.features.CopyFrom(encode(numbers, np.float32))
        response = self._operate("Run", request, timeout_s=self._connection.run_timeout_s)
        recording = response.recording
        return Recording(
            start_tick=recording.start_tick,
            num_ticks=recording.num_ticks,
            tick_ns=recording.tick_ns,
            spike_offsets=decode(recording.spike_offsets),
            spike_gids=decode(recording.spike_gids),
            spike_ticks=decode(recording.spike_ticks),
            spike_times_ms=decode(recording.spike_times_ms),
            series=tuple(decode(t) for t in recording.series),
            failed_at_ms=decode(recording.failed_at_ms),
            charges=ElectrodeCharges.from_message(recording.charges) if charges else None,
            decoded=tuple(Decoded.from_message(each) for each in recording.decoded),
        )

    def configure(
        self,
        *,
        selection: Any = None,
        model: Mapping[str, Any] | None = None,
        device: Any = None,
        light_array: Any = None,
        encoding: Any = None,
        dt_ms: float | None = None,
        v_init_mv: float | None = None,
        forget_params: bool = False,
        params_group: str = "",
        params: Mapping[str, Any] | None = None,
        opsin: Mapping[str, float] | None = None,
        plasticity: Mapping[str, Mapping[str, float]] | None = None,
        learned_weights: Any = None,
        normalize_weights: bool = False,
        normalize_target: float | None = None,
        plasticity_on: bool | None = None,
        noise_stream: int | None = None,
        spikes: bool | None = None,
        spike_populations: Sequence[str] | None = None,
        series: Sequence[SeriesSelection] | None = None,
        decodings: Sequence[Any] | None = None,
        input_spikes: Mapping[int, Sequence[float]] | None = None,
    ) -> None:
        """Changes the culture; what is left out stays. All of it is done, or nothing.

        Args:
            selection: which cells are built (docs/params.md); time 0 only.
            model: as a model.json, {"cls": ..., "kwargs": {...}}; time 0 only.
            device: other electrodes than the system's, {"preset": "mcs_60", ...} or {"array": ...},
                with their limits (docs/stimuli-and-devices.md); time 0 only.
            light_array: other fibres than the system's, as a lightarray.json; time 0 only.
            encoding: what run()'s features become, {"name": "rate", "step_ms": 25, ...}
                (docs/codings.md); "": none any more.
            dt_ms: length of a tick; time 0 only.
            v_init_mv: where every section starts; time 0 only.
            forget_params: first forget every parameter that was set, also the system's defaults.
            params_group: then take this group of the system's params document.
            params: then set these, in order: livn's keys, a number each or one a cell.
            opsin: numbers of the opsin by livn's names.
            plasticity: {"EXC": {...}, "INH": {...}}: the learning rules by livn's names; what they
                leave out has livn's default.
            learned_weights: [num_envs, connections].
            normalize_weights: scale every cell's learned weights to one sum.
            normalize_target: that sum; None: their number.
            plasticity_on: whether synapses learn.
            noise_stream: go on with another noise stream.
            spikes: run() records spikes; with it, `series` or `decodings` the whole selection is
                new.
            spike_populations: of these populations only; None: of all.
            series: what else run() records.
            decodings: what run() decodes of all spikes or of potentials: names, or dictionaries
                {"name": "network_bursts", "bin_ms": 50, "units": "cells"} (docs/codings.md).
            input_spikes: spike times of event sources (ms since the last clear) by gid.

        Raises:
            InvalidFieldError: as the message says; nothing has changed.
            RunStartedError: possible at time 0 only; clear first.
            UnknownOutcomeError, UnknownSessionError, ServerUnavailableError: as Session.step.
        """
        request = pb.ConfigureRequest(
            session=self.name,
            op_index=self.next_op_index,
            forget_params=checks.flag("forget_params", forget_params),
            params_group=params_group and checks.text("params_group", params_group),
            normalize_weights=checks.flag("normalize_weights", normalize_weights),
        )
        if selection is not None:
            request.selection.CopyFrom(cell_selection(selection))
        if model is not None:
            request.model.CopyFrom(cell_model(model))
        if device is not None:
            request.device.CopyFrom(device_message(device))
        if light_array is not None:
            request.light_array.CopyFrom(fibers(light_array))
        if encoding is not None:
            request.encoding.CopyFrom(encoding_selection(encoding))
        for name, value in (
            ("dt_ms", dt_ms),
            ("v_init_mv", v_init_mv),
            ("normalize_target", normalize_target),
        ):
            if value is not None:
                setattr(request, name, checks.number(name, value))
        if noise_stream is not None:
            request.noise_stream = _stream(noise_stream)
        for key, value in _by_name("params", {} if params is None else params):
            field = f"params[{key}]"
            param = request.params.add(key=key)
            if isinstance(value, (str, bytes)) or not hasattr(value, "__len__"):
                param.value = checks.number(field, value, "a number, or one a cell")
            elif np.shape(values := checks.array(field, value)) == ():
                param.value = float(values)
            else:
                param.values.CopyFrom(encode(values, np.float64))
        if opsin is not None:
            request.opsin.SetInParent()
            _put_numbers(request.opsin, "opsin", _OPSIN, opsin)
        if plasticity is not None:
            request.plasticity.SetInParent()
            groups = {"EXC": request.plasticity.excitatory, "INH": request.plasticity.inhibitory}
            for group, rule in _by_name("plasticity", plasticity):
                if group not in groups:
                    raise invalid_field("plasticity", group, ", ".join(groups))
                groups[group].SetInParent()
                _put_numbers(groups[group], f"plasticity[{group}]", _RULE, rule)
        if learned_weights is not None:
            weights = checks.array("learned_weights", learned_weights)
            request.learned_weights.CopyFrom(encode(weights, np.float64))
        if plasticity_on is not None:
            request.plasticity_on = checks.flag("plasticity_on", plasticity_on)
        populations: list[str] = []
        if spike_populations is not None:
            populations = checks.names("spike_populations", spike_populations, "names as text")
        if populations and not spikes:
            raise checks.wrong("spike_populations", populations, "None: spikes is not True")
        if spikes is not None or series is not None or decodings is not None:
            request.recording.spikes = spikes is not None and checks.flag("spikes", spikes)
            request.recording.spike_populations.extend(populations)
            selected = () if series is None else series
            request.recording.series.extend(messages_of("series", selected, SeriesSelection))
            listed = [] if decodings is None else checks.entries("decodings", decodings, "a list")
            request.recording.decodings.extend(
                decoding_selection(f"recording.decodings[{i}]", each)
                for i, each in enumerate(listed)
            )
        if input_spikes is not None:
            request.input_spikes.CopyFrom(_input_spikes(input_spikes))
        self._operate("Configure", request)

    def describe(
        self, *, learned_weights: bool = False, electrode_hearing: bool = False
    ) -> CultureInfo:
        """The culture's cells, parameters and clock.

        Args:
            learned_weights: and what its synapses have learned.
            electrode_hearing: and how its electrodes hear membrane currents.
        """
        self._check_open()
        request = pb.GetCultureRequest(
            session=self.name,
            learned_weights=checks.flag("learned_weights", learned_weights),
            electrode_hearing=checks.flag("electrode_hearing", electrode_hearing),
        )
        message = self._call("GetCulture", request)
        self._learn_next(message.next_op_index)
        learned = None
        if learned_weights:
            m = message.learned_weights
            learned = LearnedWeights(
                source_gids=decode(m.source_gids),
                target_gids=decode(m.target_gids),
                syn_ids=decode(m.syn_ids),
                receptors=tuple(m.receptors[i] for i in decode(m.receptor_indices)),
                weights=decode(m.weights),
            )
        hearing = None
        if electrode_hearing:
            m = message.electrode_hearing
            hearing = ElectrodeHearing(
                decode(m.sites.gids), decode(m.sites.sections), decode(m.gains)
            )
        return CultureInfo(
            populations=tuple(
                CulturePopulation(p.name, decode(p.gids), tuple(p.sections), tuple(p.states))
                for p in message.populations
            ),
            input_gids=decode(message.input_gids),
            params={
                p.key: decode(p.values) if p.HasField("values") else p.value for p in message.params
            },
            accepted_params=tuple(message.accepted_params),
            dt_ms=message.dt_ms,
            v_init_mv=message.v_init_mv,
            tick_ns=message.tick_ns,
            ticks=message.ticks,
            num_clears=message.num_clears,
            failed_at_ms=decode(message.failed_at_ms),
            seeds=decode(message.seeds),
            noise_stream=message.noise_stream,
            plasticity_on=message.plasticity_on,
            learned=learned,
            hearing=hearing,
            device=DeviceInfo.from_message(message.device) if message.HasField("device") else None,
            light_array=LightArrayInfo.from_message(message.light_array)
            if message.HasField("light_array")
            else None,
            encoding=message.encoding.name,
            encoding_inputs=tuple(
                EncodingInput(i.name, i.unit, i.low, i.high) for i in message.encoding_inputs
            ),
        )


def _stream(noise_stream: Any) -> int:
    return checks.integer("noise_stream", noise_stream, "0 .. 2**32 - 1", 0, 2**32)


def _by_name(field: str, values: Any) -> Iterator[tuple[str, Any]]:
    for name, value in checks.mapping(field, values, "values by name").items():
        yield checks.text(field, name, "names as text"), value


def _put_numbers(message: Any, field: str, names: Mapping[str, str], numbers: Any) -> None:
    """Sets the fields that livn's names stand for."""
    for name, value in _by_name(field, numbers):
        if name not in names:
            raise invalid_field(field, name, ", ".join(names))
        setattr(message, names[name], checks.number(f"{field}[{name}]", value))


def _input_spikes(spikes: Mapping[int, Sequence[float]]) -> Any:
    spikes = checks.mapping("input_spikes", spikes, "times by gid")
    gids = checks.integers("input_spikes", spikes.keys(), "gids of event sources")
    trains = [checks.array(f"input_spikes[{g}]", t).ravel() for g, t in spikes.items()]
    offsets = np.cumsum([0, *(len(train) for train in trains)])
    times = np.concatenate(trains) if trains else np.zeros(0)
    return pb.InputSpikes(
        gids=encode(gids, np.int64),
        offsets=encode(offsets, np.int64),
        times_ms=encode(times, np.float64),
    )
