"""Cultures without a task: run, clear, configure, and what their numbers say."""

from __future__ import annotations

import itertools

import numpy as np
from livnd import CultureStimulus, SeriesSelection

from conformance.drivers import Answer


def bits(answer: Answer) -> dict[str, bytes]:
    return {name: array.tobytes() for name, array in answer.items()}


SOMATA = [SeriesSelection("voltage_mv", [(gid, 0) for gid in range(10)], sample_dt_ms=1.0)]


def test_a_recording_says_what_happened(client):
    culture = client.culture("EI-mini", 3)
    culture.configure(spikes=True, series=SOMATA)
    assert culture.clear([1, 2, 3])["seeds"].tolist() == [1, 2, 3]
    first = culture.run(100)
    assert [int(first[n]) for n in ("start_tick", "num_ticks", "tick_ns")] == [0, 4000, 25_000]
    assert first["series[0]"].shape == (3, 10, 100) and first["series[0]"].dtype == np.float64
    assert (first["series[0]"][:, :, 0] == -75).all()
    assert np.isnan(first["failed_at_ms"]).all()
    offsets = first["spike_offsets"].tolist()
    assert offsets[0] == 0 and offsets[-1] == len(first["spike_gids"]) > 0
    for start, end in itertools.pairwise(offsets):
        assert (np.diff(first["spike_ticks"][start:end]) >= 0).all()
    assert int(culture.run(1)["start_tick"]) == 4000


def test_a_culture_tells_what_it_is(client):
    culture = client.culture("EI-mini", 2)
    assert culture.spec.kind == "culture"
    assert culture.spec.actions == culture.spec.observations == ()
    told = culture.describe(learned_weights=True)
    assert told["gids"].tolist() == list(range(10))
    assert (float(told["dt_ms"]), int(told["tick_ns"]), int(told["num_clears"])) == (
        0.025,
        25_000,
        0,
    )
    assert (told["learned_weights"] == 1).all() and len(told["learned_weights"]) == 2
    assert "params.weight-EXC_EXC-dend-AMPA-weight" in told


def test_the_same_seeds_give_the_same_bits_however_a_run_is_cut(client):
    whole, cut = client.culture("EI-mini", 2), client.culture("EI-mini", 2)
    for culture in (whole, cut):
        culture.configure(spikes=True, series=SOMATA)
        culture.clear([8, 9])
    want = whole.run(60)["series[0]"]
    got = [cut.run(duration)["series[0]"] for duration in (10, 1, 29, 20)]
    assert np.concatenate(got, axis=2).tobytes() == want.tobytes()


def test_a_copy_is_the_same_alone(client):
    together, alone = client.culture("EI-mini", 3), client.culture("EI-mini", 1)
    for culture, seeds in ((together, [1, 2, 3]), (alone, [2])):
        culture.configure(spikes=True, series=SOMATA)
        culture.clear(seeds)
    want, got = together.run(50), alone.run(50)
    assert got["series[0]"][0].tobytes() == want["series[0]"][1].tobytes()
    start, end = want["spike_offsets"][1:3]
    assert got["spike_ticks"].tolist() == want["spike_ticks"][start:end].tolist()


def test_clear_goes_back_to_the_beginning(client):
    culture = client.culture("EI-mini", 2)
    culture.configure(spikes=True, series=SOMATA)
    culture.clear([1, 2])
    first = bits(culture.run(40))
    culture.clear([1, 2])
    assert bits(culture.run(40)) == first
    culture.clear()  # the next noise stream of the same seeds
    assert int(culture.describe()["noise_stream"]) == 1
    second = bits(culture.run(40))
    assert second != first
    culture.clear(repeat_noise=True)
    assert bits(culture.run(40)) == second
    assert culture.clear(noise_stream=0)["seeds"].tolist() == [1, 2]
    assert bits(culture.run(40)) == first
    assert culture.clear([None, 5])["seeds"].tolist() == [1, 5]
    assert int(culture.describe()["num_clears"]) == 6


def test_configure_changes_what_it_names_and_nothing_else(client):
    culture = client.culture("EI-mini")
    culture.clear([1])
    before = culture.describe()
    culture.configure(params={"noise-std_e": 0.001})
    after = culture.describe()
    assert float(after.pop("params.noise-std_e")) == 0.001
    before.pop("params.noise-std_e", None)
    assert bits(after) == bits(before)
    culture.configure(dt_ms=0.0125)
    told = culture.describe()
    assert (float(told["dt_ms"]), int(told["tick_ns"])) == (0.0125, 12_500)
    assert int(culture.run(1)["num_ticks"]) == 80


def test_a_stimulus_acts_where_and_when_it_is_said(client):
    culture = client.culture("EI-mini", 2)
    culture.configure(params={"noise-std_e": 0.0, "noise-std_i": 0.0}, series=SOMATA)
    culture.clear([1, 1])
    samples = np.zeros((2, 5, 1))
    samples[1, 2] = 0.2
    run = culture.run(5, [CultureStimulus("current_na", samples, 1.0, [(4, 0)])])["series[0]"]
    assert run[0, :, :2].tobytes() == run[1, :, :2].tobytes()
    assert run[1, 4, 3] > run[0, 4, 3]
    quiet = [gid for gid in range(10) if gid != 4]
    assert run[0, quiet, :3].tobytes() == run[1, quiet, :3].tobytes()


def test_what_is_not_recorded_is_not_sent(client):
    culture = client.culture("EI-mini")
    culture.clear([1])
    assert "series[0]" not in culture.run(10)
    culture.configure(spikes=False, series=SOMATA * 2)
    recording = culture.run(100)
    assert len(recording["spike_gids"]) == 0
    assert recording["series[0]"].tobytes() == recording["series[1]"].tobytes()
