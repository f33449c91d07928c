"""Refusals of decodings and of an encoding's features, as far as they are env's.

What the codings themselves refuse, their own tests hold, and test_conformance_codings that it
arrives.
"""

from __future__ import annotations

from typing import Any

from error_calls import BLIND, Row, call, pb, row

AMPLITUDE = {"name": "amplitude", "step_ms": 5.0}


def decoded(site: str, field: str, value: str, accepted: str, **fields: Any) -> Row:
    """A row of one decoding."""
    on = fields.pop("on", "Culture-small-v0")
    selection = pb.DecodingSelection(**fields)
    return row(
        f"run_decodings.cc: {site}",
        "configure",
        recording__decodings=[selection],
        on=on,
        says=(f"recording.decodings[0]{field}", value, accepted),
    )


def encoded(site: str, field: str, value: str, accepted: str, **fields: Any) -> Row:
    """A row of an encoding."""
    return row(
        f"run_features.cc: {site}",
        "configure",
        encoding=pb.EncodingSelection(**(AMPLITUDE | fields)),
        says=(f"encoding{field}", value, accepted),
    )


def featured(site: str, field: str, value: str, accepted: str, **how: Any) -> Row:
    """A row of two steps of 5 ms for eight electrodes."""
    before = how.pop("before", ())
    encoding = pb.EncodingSelection(**(AMPLITUDE | how.pop("encoding", {})))
    first = () if how.pop("bare", False) else (call("configure", encoding=encoding),)
    return row(site, "featured", after=(*first, *before), says=(field, value, accepted), **how)


HERE = "live_culture_codings.cc: "
STRONG = {"name": "max_amplitude_ua", "number": 1000.0}
ROWS = [
    decoded(
        "cells: this culture has no electrodes",
        ".units",
        "electrodes",
        "cells: this culture has no electrodes",
        name="spike_counts",
        units=pb.DECODING_UNITS_ELECTRODES,
        on=BLIND,
    ),
    decoded(
        "of whose potentials",
        ".units",
        "cells",
        "electrodes, of whose potentials",
        name="lfp_bands",
        units=pb.DECODING_UNITS_CELLS,
    ),
    decoded(
        "of whose voltages",
        ".units",
        "electrodes",
        "cells, of whose voltages",
        name="waveforms",
        units=pb.DECODING_UNITS_ELECTRODES,
    ),
    decoded(
        ".sample_dt_ms",
        ".sample_dt_ms",
        "0.03",
        "a multiple of dt_ms = 0.025",
        name="lfp_bands",
        sample_dt_ms=0.03,
    ),
    row(
        "run_decodings.cc: kMaxDecodings",
        "configure",
        recording__decodings=[pb.DecodingSelection(name="spike_counts")] * 17,
        says=("recording.decodings", "17 decodings", "at most 16"),
    ),
    row(
        f"{HERE}more than 0",
        "run",
        0.0,
        after=(
            call("configure", recording__decodings=[pb.DecodingSelection(name="spike_counts")]),
        ),
        says=("duration_ms", "0", "decodings have the run for a window"),
    ),
    encoded("encoding.step_ms", ".step_ms", "0.03", "a multiple of dt_ms = 0.025", step_ms=0.03),
    row(
        'run_features.cc: "encoding", "present"',
        "configure",
        encoding=pb.EncodingSelection(**AMPLITUDE),
        on=BLIND,
        says=("encoding", "present", "absent: this culture has no electrodes"),
    ),
    featured(
        "run_features.cc: what makes ",
        "features[0][0]",
        "what makes ",
        "potentials of -1000",
        encoding={"fields": [pb.CodingField(**STRONG)]},
    ),
    featured(f"{HERE}has no encoding", "features", "present", "absent", bare=True),
    featured(f"{HERE}given.values.size()", "features", "28 numbers", "2 x 2 x 8", num_inputs=7),
    featured(f"{HERE} steps of ", "duration_ms", "11", "2 steps of 5 ms", duration_ms=11.0),
    featured(
        f"{HERE}one of the two",
        "features",
        "beside pulses of a plan",
        "one of the two",
        pulse_plan=pb.PulsePlan(pulses=[pb.ElectrodePulses(electrodes=[0], amplitude_ua=1.0)]),
    ),
]
