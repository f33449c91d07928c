"""Refusals of plans of pulses."""

from __future__ import annotations

from typing import Any

from error_calls import BLIND, FIELD, Row, call, pb, row


def pulses(**fields: Any) -> Any:
    """One pulse of 10 uA on electrode 0, or what the fields say."""
    return pb.ElectrodePulses(**{"electrodes": [0], "amplitude_ua": 10.0, **fields})


def planned(site: str, field: str, value: str, accepted: str, *entries: Any, **how: Any) -> Row:
    """A row of a plan for a run of 20 ms, by default of one entry of pulses."""
    light = how.pop("light", [])
    fields = {name: how.pop(name) for name in list(how) if name not in ("on", "after", "says")}
    plan = pb.PulsePlan(pulses=entries or ([] if light else [pulses(**fields)]), light=light)
    says = (f"pulse_plan{field}", value, accepted)
    return row(site, "plan", plan, says=says, **how)


PLAN, SCHEDULE, RUN = "pulse_plan.cc: ", "pulse_schedule.cc: ", "run_pulses.cc: "
ROWS = [
    planned(
        f"{PLAN}entries.size()", ".pulses", "10001 entries", "at most 10000", *[pulses()] * 10_001
    ),
    planned(
        f"{PLAN}each id once",
        ".pulses[0].electrodes[1]",
        "3 for the second time",
        "each id once",
        electrodes=[3, 3],
    ),
    planned(f"{PLAN}kMaxChannels", ".pulses[0].electrodes", "0 ids", "1 to 65536", electrodes=[]),
    planned(
        f"{PLAN}pulses of the plan so far",
        ".pulses[0].num_pulses",
        "4000000 pulses of the plan so far",
        "at most 1000000 of pulses",
        num_pulses=2000,
        rate_hz=1000.0,
        num_bursts=2000,
        burst_rate_hz=0.1,
    ),
    planned(
        f"{PLAN}Exact(count)",
        ".pulses[0].num_pulses",
        "-1",
        "1 .. 1000000",
        num_pulses=-1,
    ),
    planned(
        f"{PLAN}none for a pulse of one phase",
        ".pulses[0].gap_us",
        "50",
        "none for a pulse of one phase",
        shape=pb.PULSE_SHAPE_MONOPHASIC,
        gap_us=50.0,
    ),
    planned(
        f"{PLAN}none where ", ".pulses[0].rate_hz", "20", "none where num_pulses is 1", rate_hz=20.0
    ),
    planned(
        f'{PLAN}" (", unit',
        ".pulses[0].amplitude_ua",
        "-3",
        "uA, or 0; the sign is cathodic_first's",
        amplitude_ua=-3.0,
    ),
    planned(
        f"{SCHEDULE}one of the device's",
        ".pulses[0].electrodes[0]",
        "8",
        "one of the device's 8 electrodes",
        electrodes=[8],
    ),
    planned(
        f"{SCHEDULE}a multiple of the tick",
        ".pulses[0].start_us",
        "30",
        "a multiple of the tick, 25 (us)",
        start_us=30.0,
    ),
    planned(
        f"{SCHEDULE}what takes up",
        ".pulses[0].recovery_amplitude_ua",
        "3",
        "what takes up amplitude_ua x width_us in whole ticks of 25 us",
        recovery_amplitude_ua=3.0,
    ),
    planned(
        f"{SCHEDULE}each counted on each channel",
        ".pulses[1].num_pulses",
        "11200000 pulses so far",
        "at most 10000000",
        *[
            pulses(electrodes=range(8 * i, 8 * i + 14), num_pulses=400_000, rate_hz=10.0)
            for i in (0, 1)
        ],
    ),
    planned(
        f"{SCHEDULE}pulses that do not meet",
        ".pulses[1].start_us",
        "a pulse 100 us after the plan's start",
        "pulses that do not meet",
        pulses(),
        pulses(start_us=100.0),
    ),
    planned(f"{RUN}Exact(static_cast<double>(last", "", "20.4", "over", start_us=20_000.0),
    planned(
        f"{RUN}what makes ",
        ".pulses[0].amplitude_ua",
        "what makes ",
        "potentials of -1000 .. 1000 mV",
        amplitude_ua=10_000.0,
    ),
    planned(
        "stimulus_plan.cc: pulses alone",
        "",
        "beside 1 stimuli of the field that are not over",
        "pulses alone",
        after=(call("stimulate", electrodes=[0]),),
    ),
    planned(
        "stimulus_plan.cc: stimuli of sites: this system has no electrodes",
        ".pulses",
        "electrode currents",
        "stimuli of sites",
        on=BLIND,
    ),
    planned(
        "stimulus_plan.cc: the field's earlier kind",
        ".pulses",
        "electrode currents",
        "the field's earlier kind",
        after=(call("stimulate", quantity=FIELD), call("run", 50.0)),
    ),
    row(
        "live_culture_run.cc: a run with a plan of pulses",
        "charges",
        says=("charges", "asked for", "a run with a plan of pulses"),
    ),
]
