"""Refusals of what is recorded, of runs and stimuli, and of episodes."""

from __future__ import annotations

import numpy as np
from error_calls import (
    BLIND,
    COPIES,
    CURRENT,
    FIELD,
    FLOAT64,
    HEARD,
    LIGHT,
    LIVN,
    NAN,
    POINTS,
    STATE,
    TASK,
    VOLTAGE,
    call,
    encode,
    pb,
    recorded,
    row,
    samples,
    sites,
    stimulated,
    stimulus,
)

SERIES = "series_recorder.cc"
EARLIER = "as this mode's earlier stimulus"

OF_CULTURES = [
    # What is recorded.
    recorded(
        f"{SERIES}: series.state",
        ".state",
        "'x'",
        "v, h_Nas",
        quantity=STATE,
        state="x",
    ),
    recorded(
        f"{SERIES}: are points",
        ".quantity",
        "membrane currents",
        "voltages and states: neurons of EXC are points",
        quantity=CURRENT,
        on=POINTS,
    ),
    row(
        f"{SERIES}: kMaxSeries",
        "configure",
        recording__series=[
            pb.SeriesSelection(
                quantity=VOLTAGE, sample_dt_ms=1.0, dtype=FLOAT64, sites=sites((0, 0))
            )
        ]
        * 65,
        says=("recording.series", "65 series", "at most 64"),
    ),
    row(
        f"{SERIES}: spike_populations",
        "configure",
        recording__spike_populations=["EXC", "PYR"],
        says=("recording.spike_populations[1]", "'PYR'", "EXC, INH"),
    ),
    recorded(
        f"{SERIES}: a multiple of dt_ms",
        ".sample_dt_ms",
        "0.03",
        "a multiple of dt_ms = 0.025",
        sample_dt_ms=0.03,
    ),
    recorded(
        f"{SERIES}: another: this system has no electrodes",
        ".quantity",
        "electrode potentials",
        "another: this system has no electrodes",
        quantity=HEARD,
        sites=None,
        on=BLIND,
    ),
    recorded(f"{SERIES}: s.sites.empty()", ".sites", "empty", "at least one site", sites=sites()),
    recorded(
        "sites.cc: site.gid), gids.empty()",
        ".sites[1].gid",
        "10",
        "gids of its 10 cells, 0 .. 9",
        sites=sites((0, 0), (10, 0)),
    ),
    recorded(
        "sites.cc: site.section",
        ".sites[0].section",
        "9",
        "(soma, dend",
        sites=sites((0, 9)),
    ),
    row(
        "live_culture_run.cc: electrode_hearing",
        "hear",
        on=BLIND,
        says=("electrode_hearing", "asked for", "a system with electrodes"),
    ),
    # How long a run may be.
    row(
        "live_culture_run.cc: in one run of",
        "run",
        NAN,
        says=("duration_ms", "nan", "in one run of 2 x 10 cells"),
    ),
    row(
        "live_culture_run.cc: fewer series",
        "run",
        100_000.0,
        after=(call("record", sample_dt_ms=0.025, sites=sites(*[(g, 0) for g in range(10)])),),
        says=("duration_ms", "100000 with series of 640000000 bytes", "fewer series"),
    ),
    # What stimulates it.
    stimulated("0.001 .. 1e6", ".sample_dt_ms", "0", "0.001 .. 1e6 (ms)", sample_dt_ms=0.0),
    stimulated(
        "or the timing livn",
        ".sample_dt_ms",
        "0.11",
        "a multiple of dt_ms = 0.025, or the timing livn",
        sample_dt_ms=0.11,
    ),
    stimulated(
        "take nothing else",
        ".quantity",
        "extracellular",
        "current: the neurons of EXC take nothing else",
        quantity=FIELD,
        on=POINTS,
    ),
    stimulated(
        "stimuli of sites: this system has no electrodes",
        ".quantity",
        "electrode currents",
        "stimuli of sites",
        electrodes=[0],
        on=BLIND,
    ),
    stimulated(
        "ids of the array",
        ".electrodes[1]",
        "8",
        "ids of the array: 0, 1, 2, 3, 4, 5, 6, 7",
        electrodes=[0, 8],
    ),
    stimulated(
        "each electrode once",
        ".electrodes[1]",
        "3 for the second time",
        "each electrode once",
        electrodes=[3, 3],
    ),
    stimulated(
        "the opsin is on the soma",
        ".sites[1].section",
        "1",
        "0: the opsin is on the soma",
        quantity=LIGHT,
        sites=sites((0, 0), (0, 1)),
    ),
    stimulated(
        "each site once",
        ".sites[1].gid",
        "4, section 0, for the second time",
        "each site once",
        sites=sites((4, 0), (4, 0)),
    ),
    stimulated('"empty", "at least one"', ".sites", "empty", "at least one", sites=sites()),
    stimulated(
        "100 .. 2000 (nm)",
        ".wavelength_nm",
        "99",
        "100 .. 2000 (nm)",
        quantity=LIGHT,
        wavelength_nm=99.0,
    ),
    stimulated(
        '", channel "',
        ".samples",
        "nan (sample 0, channel 0)",
        " .. ",
        samples=samples(NAN),
    ),
    stimulated(
        "at a cell in sample ",
        ".samples",
        "what makes ",
        "potentials of -1000 .. 1000 mV",
        electrodes=[0],
        samples=samples(1e6, 1),
    ),
    row(
        "stimulus_plan.cc: name(stimulus.timing)",
        "stimulate",
        timing=LIVN,
        after=(call("stimulate"),),
        says=("stimuli[0].timing", "livn", f"exact, {EARLIER}"),
    ),
    row(
        "stimulus_plan.cc: absl::StrCat(Exact(mode.sample_dt_ms",
        "stimulate",
        timing=LIVN,
        sample_dt_ms=2.0,
        after=(call("stimulate", timing=LIVN),),
        says=("stimuli[0].sample_dt_ms", "2", f"1, {EARLIER}"),
    ),
    row(
        "stimulus_plan.cc: the field's earlier kind",
        "stimulate",
        electrodes=[0],
        after=(call("stimulate", quantity=FIELD),),
        says=("stimuli[0].quantity", "electrode currents", "the field's earlier kind"),
    ),
    row(
        "stimulus_plan.cc: of its quantity that are not over",
        "run",
        0.0,
        # None lasts as long as an earlier one: it would take its place.
        *[stimulus(samples=encode(np.zeros((1100 - i, 2)), np.float64)) for i in range(1025)],
        says=(
            "stimuli[1024]",
            "beside 1024 of its quantity that are not over",
            "at most 1024 at a time",
        ),
    ),
    row(
        "stimulus_plan.cc: a part of",
        "configure",
        dt_ms=0.03,
        after=(call("run", 0.0, stimulus()),),
        says=("dt_ms", "0.03", "a part of 1, the sample_dt_ms of a stimulus"),
    ),
]

OF_TASKS = [
    row(
        "vector_environment.cc: spec.low[i]",
        "step",
        np.full((COPIES, 8), 9.0),
        on=TASK,
        after=(call("reset"),),
        says=("actions[0].data", "9 (copy 0, ", " .. "),
    ),
    row(
        "vector_environment.cc: selects no copy",
        "reset",
        mask=encode([False] * COPIES, np.bool_),
        on=TASK,
        says=("mask", "selects no copy", "at least one copy"),
    ),
    row(
        "vector_environment.cc: no options",
        "reset",
        options=[pb.ResetOption(name="nonsense", value=1.0)],
        on=TASK,
        says=("options", "nonsense", "target_rate_hz"),
    ),
    row(
        "vector_environment.cc: option->min",
        "reset",
        options=[pb.ResetOption(name="target_rate_hz", value=NAN)],
        on=TASK,
        says=("options[target_rate_hz]", "nan", " .. "),
    ),
]
