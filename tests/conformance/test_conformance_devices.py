"""Other electrodes and fibres than a system's: presets, limits, and light out of fibres."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from livnd import CultureStimulus, SeriesSelection
from serving import SYSTEMS, Serve

from conformance.drivers import Answer, Refused

SERIES = [SeriesSelection("voltage_mv", [(0, 0), (0, 6), (9, 0)], sample_dt_ms=0.1)]
MIDDLE_UM = [20.0, 20.0, 0.0]
PULSE = {"pulses": [{"electrodes": [23], "amplitude_ua": 10, "width_us": 200}]}


def bits(answer: Answer) -> dict[str, bytes]:
    return {name: array.tobytes() for name, array in answer.items()}


def made(client, **change):
    culture = client.culture("EI-mini", 2)
    culture.configure(spikes=True, series=SERIES, **change)
    culture.clear([7, 8])
    return culture


def refused(call) -> dict[str, str]:
    with pytest.raises(Refused) as caught:
        call()
    assert (caught.value.code, caught.value.reason) == ("INVALID_ARGUMENT", "INVALID_FIELD")
    assert caught.value.metadata["accepted"]
    return caught.value.metadata


def test_a_preset_takes_the_place_of_the_systems_array(client):
    culture = made(client, dt_ms=0.02, device={"preset": "mcs_60", "center_um": MIDDLE_UM})
    told = culture.describe()
    assert len(told["electrodes"]) == 60 and told["electrodes"][:2].tolist() == [12, 13]
    assert told["limits.only_balanced"] and float(told["limits.time_grid_us"]) == 20
    run = culture.run(10, plan=PULSE, charges=True)
    assert run["charges.electrodes"].tolist() == told["electrodes"].tolist()
    at = told["electrodes"].tolist().index(23)
    assert run["charges.num_pulses"][at] == 1 and run["charges.num_pulses"].sum() == 1
    quiet = made(client, dt_ms=0.02)
    assert run["series[0]"].tobytes() != quiet.run(10)["series[0]"].tobytes()
    # The system's own has no limits.
    assert not [name for name in quiet.describe() if name.startswith("limits.")]
    assert len(quiet.describe()["electrodes"]) == 8


@pytest.mark.parametrize(
    ("entry", "field", "accepted"),
    [
        ({"amplitude_ua": 900}, "width_us", "at most 163 on this device"),
        ({"cathodic_first": False}, "cathodic_first", "true on this device"),
        ({"shape": "monophasic"}, "shape", "biphasic on this device"),
        ({"start_us": 50}, "start_us", "a multiple of 20 (us) on this device"),
    ],
)
def test_limits_are_held_before_anything_runs(client, entry, field, accepted):
    device = {"preset": "mcs_60", "center_um": MIDDLE_UM}
    held, plain = (made(client, dt_ms=0.01, device=device) for _ in range(2))
    bad = {"pulses": [PULSE["pulses"][0] | entry]}
    told = refused(lambda: held.run(10, plan=bad))
    assert told["field"] == f"pulse_plan.pulses[0].{field}" and told["accepted"] == accepted
    assert bits(held.run(10)) == bits(plain.run(10))
    # One that is taken away does not hold.
    lifted = {name: None for name in ("only_balanced", "only_cathodic_first", "time_grid_us")}
    device["limits"] = {**lifted, "max_phase_charge_nc": 200}
    made(client, dt_ms=0.01, device=device).run(10, plan=bad)


def test_samples_are_not_held_against_limits_of_pulses(client):
    culture = made(client, device={"preset": "cl1", "center_um": MIDDLE_UM})
    sampled = CultureStimulus("electrode_ua", np.ones((1, 1)), 1.0, [1])
    assert refused(lambda: culture.run(5, [sampled]))["field"] == "stimuli[0].quantity"


@pytest.mark.parametrize(
    ("device", "field"),
    [
        ({"preset": "mcs60"}, "preset"),
        ({}, "preset"),
        ({"preset": "max_one"}, "routed"),
        ({"preset": "max_one", "routed": [1, 1]}, "routed[1]"),
        ({"preset": "cl1", "pitch_um": -1}, "pitch_um"),
        ({"preset": "cl1", "block": {"stride": 2}}, "block"),
        ({"preset": "cl1", "limits": {"max_amplitude_ua": -3}}, "limits.max_amplitude_ua"),
        (
            {"array": {"electrode_coordinates": [[1.5, 0, 0, 0]]}},
            "array.electrode_coordinates[0][0]",
        ),
        (
            {"array": {"electrode_coordinates": [[1, 0, 0, 0]] * 2}},
            "array.electrode_coordinates[1][0]",
        ),
        ({"array": {"electrode_coordinates": np.zeros((0, 4))}}, "array.electrode_coordinates"),
    ],
)
def test_a_bad_device_is_refused_by_field(client, device, field):
    culture = made(client)
    before = culture.describe()
    assert refused(lambda: culture.configure(device=device))["field"] == f"device.{field}"
    assert bits(culture.describe()) == bits(before)


def test_devices_change_at_time_0_only(client):
    culture = made(client)
    culture.run(1)
    for change in ({"device": {"preset": "cl1"}}, {"light_array": fibers(culture, client)}):
        with pytest.raises(Refused) as caught:
            culture.configure(**change)
        assert caught.value.reason == "RUN_STARTED"


def fibers(culture, client) -> dict:
    """Two over the first two cells."""
    places = client.system("EI-mini").positions_um[:2]
    return {"fiber_coordinates": [[10 + i, *place] for i, place in enumerate(places)]}


LIGHT = {"light": [{"fibers": [10, 11], "power_mw": 8, "width_us": 2000}]}


def test_light_out_of_fibres_is_what_its_samples_are(client):
    array = fibers(None, client)
    planned, sampled, dark = (made(client, light_array=array) for _ in range(3))
    assert planned.describe()["fibers"].tolist() == [10, 11]
    powers = np.full((2, 2), 8.0)
    got = planned.run(20, plan=LIGHT)
    assert bits(got) == bits(sampled.run(20, [CultureStimulus("fiber_mw", powers, 1.0, [10, 11])]))
    assert got["series[0]"].tobytes() != dark.run(20)["series[0]"].tobytes()
    bad = {"light": [LIGHT["light"][0] | {"fibers": [12]}]}
    assert refused(lambda: dark.run(20, plan=bad))["field"] == "pulse_plan.light[0].fibers[0]"
    bad = {"light": [LIGHT["light"][0] | {"power_mw": None}]}
    assert refused(lambda: dark.run(20, plan=bad))["field"] == "pulse_plan.light[0].power_mw"
    told = refused(lambda: made(client).run(20, plan=LIGHT))
    assert told["field"] == "pulse_plan.light" and "no fibres" in told["accepted"]


def test_pulses_go_with_light(client):
    culture, other = (made(client, light_array=fibers(None, client)) for _ in range(2))
    pulses = {"pulses": [{"electrodes": [0], "amplitude_ua": 20}]}
    both = culture.run(20, plan=pulses | LIGHT, charges=True)
    assert both["charges.num_pulses"].tolist() == [1] + [0] * 7
    light = CultureStimulus("fiber_mw", np.full((2, 2), 8.0), 1.0, [10, 11])
    assert bits(other.run(20, [light], plan=pulses, charges=True)) == bits(both)


def test_a_system_brings_its_fibres(connect, tmp_path):
    shutil.copytree(SYSTEMS / "EI-mini", tmp_path / "lit", copy_function=shutil.copyfile)
    array = {"fiber_coordinates": [[3, 10, 10, 50]], "fiber_radius_um": 50}
    (tmp_path / "lit/lightarray.json").write_text(json.dumps(array))
    with Serve("--threads", "2", systems=tmp_path) as server:
        client = connect(server.address)
        system = client.system("lit")
        assert system.fiber_ids.tolist() == [3]
        assert system.fiber_positions_um.tolist() == [[10, 10, 50]]
        culture = client.culture("lit")
        culture.clear([1])
        assert culture.describe()["fibers"].tolist() == [3]
        culture.run(5, plan={"light": [{"fibers": [3], "power_mw": 2}]})


def test_a_snapshot_and_a_journal_hold_devices(connect, client):
    change = {
        "dt_ms": 0.02,
        "device": {"preset": "mcs_60", "center_um": MIDDLE_UM, "limits": {"max_amplitude_ua": 30}},
        "light_array": fibers(None, client),
    }
    plan = PULSE | LIGHT
    undisturbed = made(client, **change)
    expected = [undisturbed.run(20, plan=plan, charges=True) for _ in range(2)]
    other = client.culture("EI-mini", 2)
    with Serve("--threads", "2") as own:
        culture = made(connect(own.address), **change)
        got = [culture.run(20, plan=plan, charges=True)]
        other.restore(culture.snapshot())
        own.kill()
        own.start()
        got.append(culture.run(20, plan=plan, charges=True))
        assert bits(culture.describe()) == bits(undisturbed.describe())
    assert [bits(answer) for answer in got] == [bits(answer) for answer in expected]
    assert bits(other.run(20, plan=plan, charges=True)) == bits(expected[1])
    too_strong = {"pulses": [PULSE["pulses"][0] | {"amplitude_ua": 31}]}
    assert refused(lambda: other.run(5, plan=too_strong))["accepted"] == "at most 30 on this device"
