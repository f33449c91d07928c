"""Refusals of numbers whose bounds sim knows: they arrive by the request's own names."""

from __future__ import annotations

import numpy as np
from error_calls import (
    NAN,
    encode,
    param,
    pb,
    row,
)

ROWS = [
    row("", "configure", dt_ms=NAN, says=("dt_ms", "nan", "a number from 1e-4 to 1 (ms)")),
    row("", "configure", v_init_mv=201.0, says=("v_init_mv", "201", "-200 to 200 (mV)")),
    row("", "configure", opsin__g0_ps=-1.0, says=("opsin.g0_ps", "-1", "from 0 to 1e9 (pS)")),
    row("", "configure", opsin__e_mv=-70.0, says=("opsin.e_mv", "-70", "other than -70 (mV)")),
    row(
        "",
        "configure",
        plasticity__inhibitory__w_max=NAN,
        says=("plasticity.inhibitory.w_max", "nan", "a number"),
    ),
    row(
        "",
        "params",
        param("noise-std_e", -1.0),
        says=("params[noise-std_e].value", "-1", "a number >= 0 (uS)"),
    ),
    row(
        "",
        "params",
        param("noise-nonsense", 1.0),
        says=("params[noise-nonsense].key", "noise-nonsense", "std_e"),
    ),
    row(
        "",
        "params",
        param("cells-EXC:soma.nonsense", 1.0),
        says=("params[cells-EXC:soma.nonsense].key", "cells-EXC:soma.nonsense", "soma."),
    ),
    row(
        "",
        "params",
        param("cells-soma.cm", [1.0] * 9 + [-1.0]),
        says=("params[cells-soma.cm].values[9]", "-1", ""),
    ),
    row(
        "",
        "params",
        param("EXC_EXC-dend-AMPA-weight", -1.0),
        says=("params[EXC_EXC-dend-AMPA-weight].value", "-1", "a number from 0 to 1e9"),
    ),
    row(
        "",
        "configure",
        model__glif__params=[param("tau_m", -1.0)],
        says=("model.glif.params[tau_m].value", "-1", ""),
    ),
    row(
        "",
        "configure",
        input_spikes=pb.InputSpikes(
            gids=encode([3], np.int64),
            offsets=encode([0, 1], np.int64),
            times_ms=encode([1.0], np.float64),
        ),
        says=("input_spikes.gids[0]", "", ""),
    ),
    row(
        "",
        "learn",
        NAN,
        says=("learned_weights[0][0]", "nan", ""),
    ),
]
