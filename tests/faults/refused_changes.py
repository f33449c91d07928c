"""Refusals of what a culture is made of, of its parameters, and of what a change does at once."""

from __future__ import annotations

from error_calls import (
    BLIND,
    NAN,
    PATCH,
    POINTS,
    call,
    gids,
    param,
    row,
    selected,
    share,
)

# A threshold that decays so slowly goes with a long refractory period, livn's own does not.
RESTING_LONG = (
    call("params", param("cells-theta_decay_rate", 0.01)),
    call("params", param("cells-t_ref", 150.0)),
)

ROWS = [
    # What a culture is made of.
    selected("a fraction > 0", "fraction", "2", "a fraction > 0 and <= 1", fraction=2.0),
    selected(" (cells)", "num_cells", "99", "0 .. 10 (cells)", num_cells=99),
    selected(
        " (cells)",
        "populations[EXC].num_cells",
        "-1",
        "0 .. 8 (cells)",
        populations__shares=[share(num_cells=-1)],
    ),
    selected(
        " (gids)",
        "populations[EXC].gids[1]",
        "8",
        "0 .. 7 (gids)",
        populations__shares=[gids(0, 8)],
    ),
    selected(
        "each gid once",
        "populations[EXC].gids[2]",
        "0 for the second time",
        "each gid once",
        populations__shares=[gids(0, 1, 0)],
    ),
    selected(
        "a finite number (um)",
        "bounds.y0_um",
        "nan",
        "a finite number",
        method=PATCH,
        bounds__y0_um=NAN,
    ),
    selected("stored.empty()", "stored", "e9", "e1, far, other", stored="e9"),
    selected(
        "meta.graph",
        "meta.graph",
        "another",
        "da4de9d0-0d14-4279-a8d6-7542164d4450",
        stored="other",
        in_file="selection/other.json",
    ),
    selected(" (gids)", "gids.EXC[1]", "99", "0 .. 7", stored="far", in_file="selection/far.json"),
    selected(
        "FieldOf(name), kUnknownName",
        "populations[PYR].num_cells",
        "an unknown name",
        "EXC, INH",
        populations__shares=[share("PYR", num_cells=1)],
    ),
    selected(
        "a stored selection takes", "method", "present", "absent: ", stored="e1", method=PATCH
    ),
    selected(
        "absent: bounds are for",
        "bounds",
        "present",
        "absent: bounds are for the method 'patch' alone",
        num_cells=1,
        bounds__x1_um=1.0,
    ),
    selected('"cells", "absent"', "selection", "absent", "a number of cells", method=PATCH),
    selected(
        "a count or fraction of one population",
        "populations[EXC].fraction",
        "a count or fraction of one population",
        "one region for all",
        method=PATCH,
        populations__shares=[share(fraction=0.5)],
    ),
    selected(
        "what comes to no cell",
        "bounds",
        "what comes to no cell at all",
        "at least one cell",
        method=PATCH,
        bounds__x0_um=-9.0,
        bounds__x1_um=-8.0,
    ),
    row(
        "model_options.cc: Describe(value)",
        "configure",
        model__rcsd__refractory_period_ms=-1.0,
        says=("model.rcsd.refractory_period_ms", "-1", "a number from 0 to 1e6 (ms)"),
    ),
    row(
        "model_options.cc: Describe(value)",
        "configure",
        model__rcsd__size_cv_inh=11.0,
        says=("model.rcsd.size_cv_inh", "11", "a number from 0 to 10"),
    ),
    row(
        "model_options.cc: Describe(value)",
        "configure",
        model__glif__level=6,
        says=("model.glif.level", "6", "1, 2, 3, 4 or 5"),
    ),
    # Parameters.
    row(
        'params.cc: "a finite number"',
        "params",
        param("noise-std_e", NAN),
        says=("params[noise-std_e].value", "nan", "a finite number"),
    ),
    row(
        'params.cc: "a finite number"',
        "params",
        param("cells-soma.cm", [1.0] * 9 + [NAN]),
        says=("params[cells-soma.cm].values[9]", "nan", "a finite number"),
    ),
    row(
        'params.cc: "one number"',
        "params",
        param("noise-std_e", [1.0, 2.0]),
        says=("params[noise-std_e].values", "2 numbers", "one number"),
    ),
    row(
        "params.cc: param.key",
        "params",
        param("EXC_PYR", 1.0),
        says=("params[EXC_PYR].key", "EXC_PYR", "noise-NAME, noise-POPULATION-NAME, cells-KEY"),
    ),
    row(
        "params.cc: param.key",
        "params",
        param("io-input_radius", 1.0),
        on=BLIND,
        says=("params[io-input_radius].key", "io-input_radius", "there are no electrodes"),
    ),
    row(
        "params.cc: one for each built cell",
        "params",
        param("cells-soma.cm", [1.0, 2.0]),
        says=("params[cells-soma.cm].values", "2 numbers", "1, or 10: one for each built cell"),
    ),
    row(
        "params.cc: error->accepted",
        "params",
        param("io-output_radius", -1.0),
        says=("params[io-output_radius].value", "-1", "a finite length >= 0 (um)"),
    ),
    row(
        "electrode_array_config.cc: a finite length",
        "params",
        param("io-input_radius", -2.0),
        says=("params[io-input_radius].value", "-2", "a finite length >= 0 (um)"),
    ),
    row(
        "electrode_array_config.cc: kUnknownName",
        "params",
        param("io-volume_conductor-gain", 1.0),
        says=(
            "params[io-volume_conductor-gain].key",
            "io-volume_conductor-gain",
            "stimulation_gain, recording_gain, min_distance_um",
        ),
    ),
    row(
        'electrode_array_config.cc: "a finite number >= 0"',
        "params",
        param("io-volume_conductor-recording_gain", -1.0),
        says=("params[io-volume_conductor-recording_gain].value", "-1", "a finite number >= 0"),
    ),
    row(
        'electrode_array_config.cc: "a number > 0"',
        "params",
        param("io-volume_conductor-min_distance_um", 0.0),
        says=("params[io-volume_conductor-min_distance_um].value", "0", "a number > 0"),
    ),
    row(
        "electrode_array_config.cc: a number that makes a finite height",
        "params",
        param("io-volume_conductor-electrode_radius_um", 0.0),
        param("io-volume_conductor-culture_height_um", 0.0),
        says=("params[io-volume_conductor-culture_height_um].value", "0", "a finite height > 0"),
    ),
    row(
        'params.cc: "group"',
        "configure",
        params_group="strong",
        says=("params_group", "strong", "default"),
    ),
    # Numbers that do not go with those that were set before.
    row(
        "live_culture.cc: last.key",
        "params",
        param("cells-theta_decay_rate", 1.0),
        on=POINTS,
        after=RESTING_LONG,
        says=("params[cells-theta_decay_rate].value", "1", "[t_ref] = 150"),
    ),
    row(
        'live_culture.cc: "params_group", change',
        "configure",
        params_group="fast",
        on=POINTS,
        after=RESTING_LONG,
        says=("params_group", "fast", "[t_ref] = 150"),
    ),
    row(
        'live_culture.cc: "dt_ms", Exact',
        "configure",
        dt_ms=0.5,
        on=POINTS,
        after=(call("params", param("cells-tau_m", 0.3)),),
        says=("dt_ms", "0.5", "[tau_m] = 0.3"),
    ),
    row(
        "live_culture.cc: forget_params",
        "configure",
        forget_params=True,
        on="Culture-slow-v0",
        says=("forget_params", "true", "a product with t_ref = 150"),
    ),
    # What a change does at once.
    row(
        "live_culture.cc: absent: this model has none",
        "configure",
        opsin__g0_ps=1.0,
        on=POINTS,
        says=("opsin", "present", "absent: this model has none"),
    ),
    row(
        "live_culture.cc: this model does not learn",
        "configure",
        plasticity_on=True,
        on=POINTS,
        says=("plasticity_on", "true", "false: this model does not learn"),
    ),
    row(
        "live_culture.cc: absent without normalize_weights",
        "configure",
        normalize_target=1.0,
        says=("normalize_target", "present", "absent without normalize_weights"),
    ),
    row(
        'live_culture.cc: Exact(low), " .. "',
        "configure",
        normalize_weights=True,
        normalize_target=0.0,
        says=("normalize_target", "0", "1e-09 .. 1e+09"),
    ),
]
