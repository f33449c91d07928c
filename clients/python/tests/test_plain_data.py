"""Plans, devices and codings as plain data: dictionaries, YAML, JSON and files become messages."""

from __future__ import annotations

from pathlib import Path

import livnd
import numpy as np
import pytest
from livnd._proto import pb
from livnd.codings import decoding_selection, encoding_selection
from livnd.device import device, light_array
from livnd.errors import InvalidFieldError
from livnd.pulse_plan import pulse_plan

PLAN = {
    "pulses": [
        {"electrodes": [0, 3], "amplitude_ua": 10, "start_us": 1e5, "cathodic_first": False}
    ],
    "light": [{"fibers": [1], "power_mw": 2.5, "num_pulses": 3, "rate_hz": 20}],
}
YAML = """
pulses:
- {electrodes: [0, 3], amplitude_ua: 10, start_us: 1e5, cathodic_first: false}
light:
- fibers: [1]
  power_mw: 2.5
  num_pulses: 3
  rate_hz: 20
"""
JSON = """{"pulses": [{"electrodes": [0, 3], "amplitude_ua": 10, "start_us": 1e5,
 "cathodic_first": false}],
 "light": [{"fibers": [1], "power_mw": 2.5, "num_pulses": 3, "rate_hz": 20}]}"""


def refused(call, field: str) -> InvalidFieldError:
    with pytest.raises(InvalidFieldError) as caught:
        call()
    assert caught.value.field == field, caught.value
    assert caught.value.accepted
    return caught.value


def test_a_plan_is_the_same_in_every_form(tmp_path: Path):
    message = pulse_plan(PLAN)
    assert list(message.pulses[0].electrodes) == [0, 3]
    assert message.pulses[0].start_us == 1e5 and not message.pulses[0].cathodic_first
    assert not message.pulses[0].HasField("width_us")
    (tmp_path / "plan.yml").write_text(YAML)
    for form in (
        YAML,
        JSON,
        tmp_path / "plan.yml",
        message,
        {**PLAN, "pulses": tuple(PLAN["pulses"])},
    ):
        assert pulse_plan(form) == message
    arrays = {"electrodes": np.array([0, 3]), "amplitude_ua": np.float32(10)}
    assert pulse_plan({"pulses": [arrays]}).pulses[0].amplitude_ua == 10


@pytest.mark.parametrize(
    ("entry", "field", "accepted"),
    [
        ({"amplitude": 3}, "amplitude", "amplitude_ua? There are "),
        ({"amplitude_ua": "3"}, "amplitude_ua", "a number"),
        ({"amplitude_ua": True}, "amplitude_ua", "a number"),
        ({"electrodes": 3}, "electrodes", "a list"),
        ({"electrodes": [0, 1.5]}, "electrodes[1]", "a whole number"),
        ({"electrodes": [2**31]}, "electrodes[0]", "a whole number"),
        ({"shape": "triphasic"}, "shape", "biphasic, monophasic"),
        ({"cathodic_first": 1}, "cathodic_first", "True, False"),
        ({"num_pulses": 1.5}, "num_pulses", "a whole number"),
    ],
)
def test_what_no_entry_has_is_refused(entry: dict, field: str, accepted: str):
    error = refused(lambda: pulse_plan({"pulses": [{}, entry]}), f"pulse_plan.pulses[1].{field}")
    assert accepted in error.accepted


def test_what_is_no_plan_is_refused():
    refused(lambda: pulse_plan([]), "pulse_plan")
    refused(lambda: pulse_plan("pulses: ["), "pulse_plan")
    refused(lambda: pulse_plan({"pulse": []}), "pulse_plan.pulse")
    twice = "pulses:\n- {electrodes: [0], amplitude_ua: 1, amplitude_ua: 2}"
    error = refused(lambda: pulse_plan(twice), "pulse_plan")
    assert "line 2: amplitude_ua for the second time" in str(error)
    refused(lambda: pulse_plan({"pulses": {"electrodes": [0]}}), "pulse_plan.pulses")
    refused(lambda: pulse_plan({"pulses": [3]}), "pulse_plan.pulses[0]")


def test_devices_say_what_their_documents_say():
    assert device("cl1") == device({"preset": "cl1"}) == device("preset: cl1")
    limited = device({"preset": "cl1", "limits": {"time_grid_us": None, "max_amplitude_ua": 2}})
    assert list(limited.limits.lifted) == ["time_grid_us"]
    assert limited.limits.max_amplitude_ua == 2
    everywhere = device({"preset": "cl1", "limits": {"record_only": [], "max_amplitude_ua": 2}})
    assert list(everywhere.limits.lifted) == ["record_only"]
    refused(
        lambda: device({"preset": "cl1", "limits": {"record_only": ""}}),
        "device.limits.record_only",
    )
    refused(lambda: device("preset: mcs_60\npreset: cl1"), "device")
    own = device({"array": {"electrode_coordinates": [[7, 1, 2, 3]], "output_radius": 33}})
    assert list(own.array.electrode_coordinates.shape) == [1, 4]
    refused(lambda: device({"preset": "cl1", "limits": {"max_ua": 2}}), "device.limits.max_ua")
    refused(lambda: device(3), "device")
    refused(lambda: light_array({"fibres": []}), "light_array.fibres")
    refused(lambda: light_array({"fiber_coordinates": [["a"]]}), "light_array.fiber_coordinates")


def test_codings_say_what_their_specifications_say():
    alone = decoding_selection("d", "spike_counts")
    assert (alone.name, alone.units, len(alone.fields)) == (
        "spike_counts",
        pb.DECODING_UNITS_UNSPECIFIED,
        0,
    )
    spec = {"name": "x", "a": 1, "b": True, "c": "word", "d": [1, 2], "e": [[1], [2, 3]], "f": []}
    kinds = {f.name: f.WhichOneof("value") for f in decoding_selection("d", spec).fields}
    assert kinds == {
        "a": "number",
        "b": "flag",
        "c": "word",
        "d": "numbers",
        "e": "lists",
        "f": "numbers",
    }
    assert decoding_selection("d", "{name: x, a: 1, units: cells}") == decoding_selection(
        "d", {"name": "x", "a": 1, "units": "cells"}
    )
    assert encoding_selection("").name == ""
    assert encoding_selection({"name": "rate", "step_ms": 5}).step_ms == 5
    refused(lambda: decoding_selection("d", {"bin_ms": 3}), "d.name")
    refused(lambda: decoding_selection("d", {"name": "x", "units": "rows"}), "d.units")
    refused(lambda: decoding_selection("d", {"name": "x", "a": None}), "d.a")
    refused(lambda: decoding_selection("d", {"name": "x", "a": ["b"]}), "d.a[0]")
    refused(lambda: encoding_selection({"name": "rate", "step_ms": "5"}), "encoding.step_ms")


def test_a_run_tells_decoded_values_by_name(client: livnd.Client):
    with client.create_culture("EI-mini", 2) as culture:
        culture.configure(decodings=["firing_rates", {"name": "spike_counts", "units": "cells"}])
        culture.clear([1, 2])
        rates, counts = culture.run(50).decoded
        assert rates.name == "firing_rates" and set(rates) >= {"rate_hz", "mean_rate_hz"}
        assert rates["rate_hz"].shape == (2, 8) and rates.units["rate_hz"] == "Hz"
        assert counts["counts"].shape == (2, 10) and len(counts) == 1


def test_codings_are_listed(client: livnd.Client, address: str):
    assert livnd.decodings(address) == client.decodings()
    rate = {coding.name: coding for coding in livnd.encodings(address)}["rate"]
    assert {f.name: f.default for f in rate.fields}["max_hz"] == "20"
    assert rate.tensors[0].axes == ("electrodes",)
