"""Decodings and encodings by name: what they give, what they take, and how they are refused."""

from __future__ import annotations

import re

import numpy as np
import pytest
from livnd import CultureStimulus, SeriesSelection
from serving import ROOT, Serve

from conformance.drivers import Answer, Refused

DECODINGS = [
    "spike_counts",
    {"name": "firing_rates", "units": "cells"},
    {"name": "network_bursts", "bin_ms": 5, "min_floor": 1, "count": "edges"},
    {
        "name": "lfp_bands",
        "segment": 32,
        "low_hz": [1, 30],
        "high_hz": [30, 80],
        "sample_dt_ms": 0.5,
    },
    {"name": "van_rossum", "units": "cells", "reference_ms": [[2, 8]] * 10},
    {"name": "waveforms", "sample_dt_ms": 0.05, "max_cutouts": 2},
]


def bits(answer: Answer) -> dict[str, bytes]:
    return {name: array.tobytes() for name, array in answer.items()}


def made(client, num_envs=2, **change):
    culture = client.culture("EI-mini", num_envs)
    culture.configure(params={"noise-std_e": 0.002}, **{"spikes": True, **change})
    culture.clear([7 + i for i in range(num_envs)])
    return culture


def refused(call) -> dict[str, str]:
    with pytest.raises(Refused) as caught:
        call()
    assert (caught.value.code, caught.value.reason) == ("INVALID_ARGUMENT", "INVALID_FIELD")
    return caught.value.metadata


def test_decodings_give_what_the_spikes_of_the_run_come_to(client):
    culture = made(client, decodings=DECODINGS)
    culture.run(10)
    run = culture.run(200)
    reach = client.system("EI-mini")
    distances = np.linalg.norm(
        reach.electrode_positions_um[:, None] - reach.positions_um[None], axis=2
    )
    for copy in range(2):
        window = slice(run["spike_offsets"][copy], run["spike_offsets"][copy + 1])
        of_cells = np.bincount(run["spike_gids"][window], minlength=10)
        assert of_cells.sum() > 0
        of_electrodes = (distances <= reach.output_radius_um) @ of_cells
        assert run["decoded[0].counts"][copy].tolist() == of_electrodes.tolist()
        np.testing.assert_allclose(run["decoded[1].rate_hz"][copy], of_cells / 0.2, rtol=1e-12)
        np.testing.assert_allclose(
            run["decoded[1].group_rate_hz"][copy],
            [of_cells[:8].mean() / 0.2, of_cells[8:].mean() / 0.2],
        )
    assert run["decoded[2].in_burst"].shape == (2, 40)
    assert run["decoded[3].power"].shape == (2, 2) and (run["decoded[3].power"][:, 1] > 0).all()
    assert run["decoded[4].distance"].shape == (2, 10)
    assert np.isfinite(np.concatenate([run[n].ravel() for n in run if "decoded" in n])).all()


def test_decodings_hear_what_is_not_recorded(client):
    loud, silent = (
        made(client, decodings=DECODINGS),
        made(client, spikes=False, decodings=DECODINGS),
    )
    want, got = loud.run(100), silent.run(100)
    assert len(got["spike_gids"]) == 0 < len(want["spike_gids"])
    decoded = [name for name in want if name.startswith("decoded")]
    assert {n: got[n].tobytes() for n in decoded} == {n: want[n].tobytes() for n in decoded}
    silent.configure(spikes=True)  # replaces the selection
    assert not [name for name in silent.run(10) if name.startswith("decoded")]


@pytest.mark.parametrize(
    ("decoding", "field", "accepted"),
    [
        ("firing_rate", "name", "firing_rates"),
        ({"name": "synchrony", "bins_ms": 2}, "bins_ms", "bin_ms"),
        ({"name": "synchrony", "bin_ms": float("nan")}, "bin_ms", ""),
        ({"name": "synchrony", "bin_ms": "two"}, "bin_ms", ""),
        ({"name": "network_bursts", "count": "bursts"}, "count", "runs or edges"),
        ({"name": "lfp_bands", "units": "cells"}, "units", "electrodes"),
        ({"name": "waveforms", "units": "electrodes"}, "units", "cells"),
        ({"name": "waveforms", "sample_dt_ms": 0.04}, "sample_dt_ms", "dt_ms = 0.025"),
        ({"name": "lfp_bands", "sample_dt_ms": 0.03}, "sample_dt_ms", "dt_ms = 0.025"),
    ],
)
def test_a_bad_decoding_is_refused_by_field(client, decoding, field, accepted):
    culture = made(client)
    told = refused(lambda: culture.configure(spikes=True, decodings=["spike_counts", decoding]))
    assert told["field"] == f"recording.decodings[1].{field}"
    assert accepted in told["accepted"] and told["accepted"]
    assert not [name for name in culture.run(10) if name.startswith("decoded")]


def test_what_depends_on_the_run_is_told_by_the_run(client):
    histogram = {"name": "peristimulus_histogram", "onsets_ms": [100]}
    culture = made(client, decodings=[histogram])
    told = refused(lambda: culture.run(50))
    assert told["field"].startswith("recording.decodings[0].onsets_ms")
    assert refused(lambda: culture.run(0))["field"] == "duration_ms"
    assert culture.run(300)["decoded[0].counts"].shape == (2, 1, 40)
    many = refused(lambda: culture.configure(decodings=["spike_counts"] * 17))
    assert many["field"] == "recording.decodings"


RATE = {"name": "rate", "max_hz": 90, "max_amplitude_ua": 20, "step_ms": 5}
SERIES = [SeriesSelection("voltage_mv", [(0, 0), (9, 0)], sample_dt_ms=0.1)]


def features(num_steps: int) -> np.ndarray:
    return np.linspace(0, 1, 2 * num_steps * 8, dtype=np.float32).reshape(2, num_steps, 8)


def test_features_become_pulses(client):
    """Of `amplitude`: a pulse at each step's start, cathodic where it is positive."""
    encoding = {"name": "amplitude", "max_amplitude_ua": 20, "step_ms": 5}
    encoded, sampled = (made(client, series=SERIES) for _ in range(2))
    encoded.configure(encoding=encoding)
    told = encoded.describe()
    assert str(told["encoding"]) == "amplitude" and told["encoding_inputs"][7] == "amplitude_7"
    given = features(4) * 2 - 1
    currents = np.zeros((2, 100, 8))
    exact = given.astype(np.float64)
    currents[:, 0::25] = -20.0 * exact
    currents[:, 1::25] = 20.0 * exact
    stimulus = CultureStimulus("electrode_ua", currents, 0.2, list(range(8)))
    assert bits(encoded.run(20, features=given)) == bits(sampled.run(20, [stimulus]))


def test_what_an_encoding_is_in_the_middle_of_goes_on(connect, client):
    whole = made(client, series=SERIES, encoding=RATE)
    want = whole.run(40, features=features(8))["series[0]"]
    other = client.culture("EI-mini", 2)
    with Serve("--threads", "2") as own:
        culture = made(connect(own.address), series=SERIES, encoding=RATE)
        got = [culture.run(15, features=features(8)[:, :3])["series[0]"]]
        other.restore(culture.snapshot())
        own.kill()
        own.start()
        got.append(culture.run(25, features=features(8)[:, 3:])["series[0]"])
    assert np.concatenate(got, axis=2).tobytes() == want.tobytes()
    assert other.run(25, features=features(8)[:, 3:])["series[0]"].tobytes() == got[1].tobytes()


def test_bad_features_are_refused_as_a_whole(client):
    culture, plain = (made(client, series=SERIES, encoding=RATE) for _ in range(2))
    bad = features(4)
    bad[1, 2, 3] = np.nan
    assert refused(lambda: culture.run(20, features=bad))["field"] == "features[1][2].rate_3"
    assert refused(lambda: culture.run(20, features=bad[:, :, :7]))["field"] == "features"
    assert refused(lambda: culture.run(20, features=bad[:1]))["field"] == "features.shape"
    assert refused(lambda: culture.run(21, features=features(4)))["field"] == "duration_ms"
    plan = {"pulses": [{"electrodes": [0], "amplitude_ua": 1}]}
    assert refused(lambda: culture.run(20, plan=plan, features=features(4)))["field"] == "features"
    assert bits(culture.run(20)) == bits(plain.run(20))
    culture.configure(encoding="")
    assert refused(lambda: culture.run(20, features=features(4)))["field"] == "features"
    assert "encoding" not in culture.describe()


def test_currents_of_an_encoding_keep_to_the_limits_of_the_device(client):
    encoding = {"name": "amplitude", "max_amplitude_ua": 4, "step_ms": 10}
    device = {"preset": "cl1", "center_um": [20, 20, 0]}
    held, plain = (made(client, dt_ms=0.02, device=device, encoding=encoding) for _ in range(2))
    given = np.zeros((2, 2, 64), np.float32)
    given[:, :, 1] = 0.5
    bad = given.copy()
    bad[1, 1, 2] = 1  # 4 uA
    told = refused(lambda: held.run(20, features=bad))
    assert told["field"] == "features[1][1]" and told["accepted"] == "at most 3 on this device"
    assert told["value"].startswith("4 uA on electrode 2, 10000 us after")
    bad = given.copy()
    bad[0, 0, 4] = 0.1  # which takes no current
    assert refused(lambda: held.run(20, features=bad))["field"] == "features[0][0]"
    assert bits(held.run(20, features=given)) == bits(plain.run(20, features=given))


@pytest.mark.parametrize(
    ("encoding", "field", "accepted"),
    [
        ({"name": "rates", "step_ms": 5}, "name", "rate"),
        ({"name": "rate", "step_ms": 0.03}, "step_ms", "dt_ms = 0.025"),
        ({"name": "rate"}, "step_ms", "dt_ms"),
        ({"name": "rate", "step_ms": 5, "max_herz": 3}, "max_herz", "max_hz"),
        ({"name": "rate", "step_ms": 5, "phase_us": 30}, "phase_us", "a multiple of the tick"),
    ],
)
def test_a_bad_encoding_is_refused_by_field(client, encoding, field, accepted):
    culture = made(client)
    told = refused(lambda: culture.configure(encoding=encoding))
    assert told["field"] == f"encoding.{field}" and accepted in told["accepted"]
    assert "encoding" not in culture.describe()


def test_all_codings_are_listed_with_their_fields(client):
    decodings, encodings = client.codings()
    page = (ROOT / "docs/codings.md").read_text()
    for coding in (*decodings, *encodings):
        row = re.search(rf"^\| `{coding.name}` \|.*$", page, re.MULTILINE).group()
        for named in (*coding.fields, *coding.tensors):
            assert f"`{named.name}`" in row, (coding.name, named.name)
        assert all(field.accepted for field in coding.fields)
    assert len(decodings) + len(encodings) == len(re.findall(r"^\| `\w+` \|", page, re.MULTILINE))
    bursts = {coding.name: coding for coding in decodings}["network_bursts"]
    assert [field.name for field in bursts.fields][:2] == ["bin_ms", "mad_k"]
    assert bursts.fields[0].default == "50"
    rates = {coding.name: coding for coding in decodings}["firing_rates"]
    assert {t.name: t.axes for t in rates.tensors}["group_rate_hz"] == ("groups",)
    assert [c.name for c in decodings if c.hears_potentials] == ["lfp", "lfp_bands"]
    voltages = [c.name for c in decodings if c.hears_voltages]
    assert voltages == ["extracellular_recruitment", "waveforms"]
    amplitude = encodings[0].tensors[0]
    assert (amplitude.axes, amplitude.low, amplitude.high) == (("electrodes",), -1, 1)
