"""Plans of pulses: what they do, what they deliver, and that they are refused as a whole."""

from __future__ import annotations

import numpy as np
import pytest
from livnd import CultureStimulus, SeriesSelection
from serving import Serve

from conformance.drivers import Answer, Refused

TICK_MS = 0.025
IDS = list(range(8))  # of EI-mini's array
SERIES = [
    SeriesSelection("voltage_mv", [(0, 0), (0, 6), (9, 0)], sample_dt_ms=0.025),
    SeriesSelection("electrode_potential_uv", sample_dt_ms=0.5),
]
# Trains that overlap on different electrodes: a sweep with a long recovery, and anodic pulses.
PLAN = {
    "pulses": [
        {
            "electrodes": [0, 2],
            "amplitude_ua": 12,
            "last_amplitude_ua": 30,
            "width_us": 175,
            "gap_us": 50,
            "num_pulses": 4,
            "rate_hz": 400,
        },
        {"electrodes": [1], "amplitude_ua": 25, "cathodic_first": False, "start_us": 1225},
    ]
}


def bits(answer: Answer) -> dict[str, bytes]:
    return {name: array.tobytes() for name, array in answer.items()}


def cleared(client, num_envs=2):
    culture = client.culture("EI-mini", num_envs)
    culture.configure(spikes=True, series=SERIES)
    culture.clear([7 + i for i in range(num_envs)])
    return culture


def samples() -> CultureStimulus:
    """PLAN, written down tick by tick after the rule of docs/stimuli-and-devices.md."""
    currents = np.zeros((400, 8))
    for k, amplitude in enumerate((12, 18, 24, 30)):
        start = k * 100
        currents[start : start + 7, [0, 2]] = -amplitude
        currents[start + 9 : start + 16, [0, 2]] = amplitude
    currents[49 : 49 + 8, 1] = 25
    currents[57 : 57 + 8, 1] = -25
    return CultureStimulus("electrode_ua", currents, TICK_MS, IDS)


def test_a_plan_is_the_currents_of_its_rule(client):
    planned, sampled, quiet = cleared(client), cleared(client), cleared(client)
    for culture in (planned, sampled, quiet):
        culture.run(3.35)  # pulses are the same wherever they begin
    got = planned.run(20, plan=PLAN)
    assert bits(got) == bits(sampled.run(20, [samples()]))
    assert got["series[0]"].tobytes() != quiet.run(20)["series[0]"].tobytes()
    assert bits(planned.run(10)) == bits(sampled.run(10))


def test_charges_are_told_for_each_electrode(client):
    culture = cleared(client)
    told = culture.run(20, plan=PLAN, charges=True)
    assert told["charges.electrodes"].tolist() == IDS
    assert told["charges.num_pulses"].tolist() == [4, 1, 4, 0, 0, 0, 0, 0]
    assert (told["charges.net_nc"] == 0).all()
    each_nc = 2 * 0.175 * (12 + 18 + 24 + 30)
    np.testing.assert_allclose(
        told["charges.absolute_nc"], [each_nc, 2 * 25 * 0.2, each_nc, 0, 0, 0, 0, 0], rtol=1e-12
    )
    np.testing.assert_allclose(
        told["charges.max_phase_nc"], [30 * 0.175, 5, 30 * 0.175, 0, 0, 0, 0, 0], rtol=1e-12
    )
    one_phase = {"electrodes": [5], "amplitude_ua": 4, "shape": "monophasic"}
    told = culture.run(1, plan={"pulses": [one_phase]}, charges=True)
    np.testing.assert_allclose(told["charges.net_nc"][5], -4 * 0.2, rtol=1e-12)
    assert "charges.net_nc" not in culture.run(1, plan={"pulses": [one_phase]})


@pytest.mark.parametrize(
    ("entry", "field", "value"),
    [
        ({"electrodes": [99]}, ".pulses[1].electrodes[0]", "99"),
        ({"amplitude_ua": None}, ".pulses[1].amplitude_ua", "absent"),
        ({"amplitude_ua": float("nan")}, ".pulses[1].amplitude_ua", "nan"),
        ({"width_us": 30}, ".pulses[1].width_us", "30"),
        ({"num_pulses": 2}, ".pulses[1].rate_hz", "0"),
        ({"rate_hz": 20}, ".pulses[1].rate_hz", "20"),
        ({"last_amplitude_ua": 20}, ".pulses[1].last_amplitude_ua", "20"),
        ({"electrodes": [2]}, ".pulses[1].start_us", "a pulse 0 us"),
        ({"start_us": 19_900}, "", "20.3 ms"),
        ({"amplitude_ua": 5000}, ".pulses[1].amplitude_ua", "what makes "),
    ],
)
def test_a_plan_is_refused_as_a_whole(client, entry, field, value):
    refused, plain = cleared(client), cleared(client)
    bad = {"electrodes": [1], "amplitude_ua": 1.0} | entry
    with pytest.raises(Refused) as caught:
        refused.run(20, plan={"pulses": [PLAN["pulses"][0], bad]}, charges=True)
    error = caught.value
    assert (error.code, error.reason) == ("INVALID_ARGUMENT", "INVALID_FIELD")
    assert error.metadata["field"] == f"pulse_plan{field}"
    assert error.metadata["value"].startswith(value)
    assert error.metadata["accepted"]
    assert bits(refused.run(20)) == bits(plain.run(20))


def test_a_plan_does_not_go_with_what_it_would_cut(client):
    culture = cleared(client)
    with pytest.raises(Refused) as caught:
        culture.run(20, [samples()], plan=PLAN)
    assert caught.value.metadata["field"] == "pulse_plan"
    with pytest.raises(Refused) as caught:
        culture.run(20, charges=True)
    assert caught.value.metadata["field"] == "charges"


def test_a_snapshot_between_pulses_goes_on_with_the_same_bits(client):
    """A plan in one run is two in two runs, the second one of them in another session."""
    pulse = {"electrodes": [0, 2], "amplitude_ua": 30}
    whole, first, second = cleared(client), cleared(client), client.culture("EI-mini", 2)
    want = whole.run(20, plan={"pulses": [pulse | {"num_pulses": 2, "rate_hz": 100}]})["series[0]"]
    got = [first.run(10, plan={"pulses": [pulse]})["series[0]"]]
    second.restore(first.snapshot())
    got.append(second.run(10, plan={"pulses": [pulse]})["series[0]"])
    assert np.concatenate(got, axis=2).tobytes() == want.tobytes()
    # That the field comes from electrodes goes along.
    with pytest.raises(Refused):
        second.run(1, [CultureStimulus("extracellular_mv", np.zeros((1, 1)), 1.0, [(0, 0)])])


def test_forks_of_a_session_take_plans_of_their_own(client):
    culture = cleared(client)
    culture.run(5, plan={"pulses": [{"electrodes": [3], "amplitude_ua": 20}]})
    one, other = culture.fork(2)
    assert bits(one.run(20, plan=PLAN)) == bits(culture.run(20, plan=PLAN))
    assert bits(other.run(20)) != bits(one.run(20))


def test_a_killed_server_comes_back_with_the_pulses_it_gave(connect, client):
    undisturbed = cleared(client)
    expected = [undisturbed.run(20, plan=PLAN, charges=True), undisturbed.run(20, plan=PLAN)]
    with Serve("--threads", "2") as own:
        culture = cleared(connect(own.address))
        got = [culture.run(20, plan=PLAN, charges=True)]
        own.kill()
        own.start()
        got.append(culture.run(20, plan=PLAN))
    assert [bits(answer) for answer in got] == [bits(answer) for answer in expected]
