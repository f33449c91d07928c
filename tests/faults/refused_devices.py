"""Refusals of electrodes, fibres and their limits, and of what a plan asks of these."""

from __future__ import annotations

from typing import Any

import numpy as np
from error_calls import Row, call, encode, pb, put, row
from refused_plans import planned


def device(**fields: Any) -> Any:
    """With fields by their paths."""
    message = pb.Device()
    for path, value in fields.items():
        put(message, path, value)
    return message


def rows(*places: list[float]) -> Any:
    """A tensor of id, x, y, z."""
    return encode(np.reshape(places, (-1, 4)), np.float64)


def refused(site: str, field: str, value: str, accepted: str, **fields: Any) -> Row:
    """A row of a device."""
    return row(site, "configure", device=device(**fields), says=(f"device{field}", value, accepted))


def unlit(field: str, value: str, accepted: str, site: str, **fields: Any) -> Row:
    """A row of fibres."""
    message = pb.LightArray(fiber_coordinates=rows([3, 0, 0, 0]))
    for path, value_ in fields.items():
        put(message, path, value_)
    says = (f"light_array.{field}", value, accepted)
    return row(f"light_array_config.cc: {site}", "configure", light_array=message, says=says)


def limited(site: str, field: str, value: str, accepted: str, *entries: Any, **how: Any) -> Row:
    """A row of a plan for electrodes 0 and 1 with these limits."""
    limits = how.pop("limits")
    own = device(
        array__electrode_coordinates=rows([0, 5, 5, 0], [1, 30, 30, 0]),
        limits=pb.StimulationLimits(**limits),
    )
    return planned(
        f"stimulation_limits.cc: {site}",
        f".pulses{field}",
        value,
        f"{accepted}",
        *entries,
        after=(call("configure", device=own),),
        **how,
    )


def pulse(**fields: Any) -> Any:
    """One of 10 uA on electrode 0, or what the fields say."""
    return pb.ElectrodePulses(**{"electrodes": [0], "amplitude_ua": 10.0, **fields})


OURS = " on this device"
ROWS = [
    # Fibres.
    unlit("fiber_coordinates", "0 fibres", "1 to 65536", "1 to ", fiber_coordinates=rows()),
    unlit(
        "fiber_coordinates[1][0]",
        "3 for the second time",
        "each id once",
        "each id once",
        fiber_coordinates=rows([3, 0, 0, 0], [3, 9, 0, 0]),
    ),
    unlit(
        "numerical_aperture",
        "2",
        "a number > 0 up to 1.36",
        "a number ",
        numerical_aperture=2.0,
    ),
    refused(
        "position.cc: kMaxPositionUm",
        ".array.electrode_coordinates[1][2]",
        "1e+300",
        "-1e+09 .. 1e+09 (um)",
        array__electrode_coordinates=rows([0, 0, 0, 0], [1, 0, 1e300, 0]),
    ),
    # Presets.
    refused(
        "device_text.cc: what has each electrode at ",
        ".center_um[0]",
        "1e+09",
        "-1e+09 .. 1e+09 (um)",
        preset="mcs_60",
        center_um=encode(np.array([1e9, 0.0, 0.0]), np.float64),
    ),
    refused(
        "device_presets.cc: kMaxOneChannels",
        ".routed",
        "1025 electrodes",
        "1 to 1024",
        preset="max_one",
        routed=list(range(1025)),
    ),
    refused(
        "device_presets.cc: each once",
        ".routed[1]",
        "26400",
        "0 .. 26399, each once",
        preset="max_one",
        routed=[3, 26400],
    ),
    refused(
        "device_presets.cc: an id of the array",
        ".limits.record_only[0]",
        "64",
        "an id of the array",
        preset="cl1",
        limits__record_only=[64],
    ),
    refused(
        "device_text.cc: a number > 0",
        ".pitch_um",
        "0",
        "a number > 0 up to 1e6 (um)",
        preset="cl1",
        pitch_um=0.0,
    ),
    refused(
        "device_text.cc: one of routed and block",
        ".routed",
        "absent",
        "one of routed and block",
        preset="max_one",
    ),
    refused("device_text.cc: kPresets", ".preset", '"mcs"', "mcs_60, max_one, cl1", preset="mcs"),
    refused(
        "device_presets.cc: field, Exact(value)",
        ".block.num_columns",
        "32",
        "1 .. 1",
        preset="max_one",
        block__first_column=219,
    ),
    # Limits.
    refused(
        "stimulation_limits.cc: a finite number > 0",
        ".limits.time_grid_us",
        "-20",
        "a finite number > 0",
        preset="cl1",
        limits__time_grid_us=-20.0,
    ),
    refused(
        "stimulation_limits.cc: each id once",
        ".limits.record_only[1]",
        "3 for the second time",
        "each id once",
        preset="cl1",
        limits__record_only=[3, 3],
    ),
    limited(
        "which takes no current",
        "[0].electrodes[0]",
        "0, which takes no current",
        "an electrode of the device that does",
        limits={"record_only": [0]},
    ),
    limited(
        '"monophasic"',
        "[0].shape",
        "monophasic",
        f"biphasic{OURS}",
        shape=pb.PULSE_SHAPE_MONOPHASIC,
        limits={"only_balanced": True},
    ),
    limited(
        '"cathodic_first"',
        "[0].cathodic_first",
        "false",
        f"true{OURS}",
        cathodic_first=False,
        limits={"only_cathodic_first": True},
    ),
    limited(
        "Exact(length_us)",
        "[0].start_us",
        "50",
        f"a multiple of 100 (us){OURS}",
        start_us=50.0,
        limits={"time_grid_us": 100.0},
    ),
    limited(
        "a pulse at ",
        "[0].rate_hz",
        "a pulse at 3325 us",
        f"a multiple of 100 (us){OURS}",
        num_pulses=2,
        rate_hz=300.0,
        limits={"time_grid_us": 100.0},
    ),
    limited(
        "a recovery of ",
        "[0].recovery_amplitude_ua",
        "a recovery of 50 us",
        f"a multiple of 100 (us){OURS}",
        recovery_amplitude_ua=40.0,
        limits={"time_grid_us": 100.0},
    ),
    limited(
        " at one time, ",
        "[1].electrodes",
        "2 at one time, 200 us after the plan's start",
        f"at most 1{OURS}",
        pulse(),
        pulse(electrodes=[1], start_us=200.0),
        limits={"max_active_electrodes": 1},
    ),
    limited(
        " us after another one on electrode ",
        "[0].rate_hz",
        "a pulse 2000 us after another one on electrode 0",
        f"at most 100 Hz{OURS}",
        num_pulses=2,
        rate_hz=500.0,
        limits={"max_pulse_rate_hz": 100.0},
    ),
    limited(
        "Exact(*limit)",
        "[0].amplitude_ua",
        "10 uA",
        f"at most 9{OURS}",
        limits={"max_amplitude_ua": 9.0},
    ),
    # What else a device that there is does not take.
    row(
        "live_culture_run.cc: which are of pulses",
        "stimulate",
        electrodes=[1],
        after=(call("configure", device=device(preset="cl1")),),
        says=("stimuli[0].quantity", "samples of currents", "a plan of pulses"),
    ),
    row(
        "stimulus_plan.cc: stimuli of the device that there is",
        "configure",
        device=device(preset="cl1"),
        after=(
            call(
                "run",
                0.0,
                pb.CultureStimulus(
                    quantity=pb.STIMULUS_QUANTITY_ELECTRODE_UA,
                    sample_dt_ms=1.0,
                    electrodes=encode([0], np.int64),
                    samples=encode(np.ones((1, 1)), np.float64),
                ),
            ),
        ),
        says=("device", "present", "still to come"),
    ),
    planned(
        "stimulus_plan.cc: light at sites: this culture has no fibres",
        ".light",
        "power of fibres",
        "this culture has no fibres",
        light=[pb.LightPulses(fibers=[0], power_mw=1.0)],
    ),
    planned(
        "stimulus_plan.cc: the light's earlier kind",
        ".light",
        "power of fibres",
        "the light's earlier kind",
        light=[pb.LightPulses(fibers=[3], power_mw=1.0)],
        after=(
            call("configure", light_array=pb.LightArray(fiber_coordinates=rows([3, 0, 0, 0]))),
            call("stimulate", quantity=pb.STIMULUS_QUANTITY_IRRADIANCE_MW_MM2),
            call("run", 10.0),
        ),
    ),
]
