"""Devices and pulses compute what livn 2.0.0's own functions do, on random inputs."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from livn.io import (
    MEA,
    LightArray,
    electrode_array_coordinates,
    electrode_array_coordinates_for_area,
)
from livn.policy import BiphasicPulsePolicy, MonophasicPulsePolicy, PulseSweepPolicy
from numpy.random import Generator

ROOT = Path(__file__).resolve().parents[2]
BINARIES = Path(os.environ.get("LIVND_BAZEL_BIN", ROOT / "bazel-bin"))
DRAWS = 1000
Case = tuple[dict[str, Any], Any]


@pytest.fixture(scope="module", autouse=True)
def built() -> None:
    """Done already where everything was built before the tests."""
    if "LIVND_BAZEL_BIN" not in os.environ:
        build = ["bazel", "build", "--noshow_progress", "//tests/parity:devices"]
        subprocess.run(build, cwd=ROOT, check=True)


def ask(calls: list[dict[str, Any]]) -> list[Any]:
    """The answers of livnd, in order."""
    done = subprocess.run(
        [BINARIES / "tests/parity/devices"],
        input="".join(json.dumps(call) + "\n" for call in calls),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def draw_mea(rng: Generator) -> tuple[MEA, dict[str, Any]]:
    """An array, and what mea.json says of it. Ids ascend: livn mixes up others."""
    n = int(rng.integers(1, 6))
    ids = np.cumsum(rng.integers(1, 4, n))
    rows = np.column_stack([ids, rng.uniform(-300, 300, (n, 3))])
    conductor = {
        "stimulation_gain": float(rng.uniform(0.1, 10)),
        "recording_gain": float(rng.uniform(1e3, 1e5)),
        "min_distance_um": float(rng.uniform(1, 20)),
        "electrode_radius_um": float(rng.uniform(0, 40)),
        "culture_height_um": float(rng.uniform(5, 100)),
    }
    mea = MEA(
        rows,
        input_radius=float(rng.uniform(50, 500)),
        output_radius=float(rng.uniform(50, 500)),
        volume_conductor=conductor if rng.random() < 0.7 else None,
    )
    return mea, json.loads(mea.as_json())


def draw_points(rng: Generator) -> np.ndarray:
    """[n, 4]: gid and place; every gid once."""
    n = int(rng.integers(1, 9))
    gids = np.sort(rng.choice(50, n, replace=False))
    return np.column_stack([gids, rng.uniform(-300, 300, (n, 3))])


def case_distances(rng: Generator) -> Case:
    (mea, document), points = draw_mea(rng), draw_points(rng)
    call = {"call": "distances", "mea": document, "points": points[:, 1:].tolist()}
    return call, mea.distances(points)[:, 2]


def case_reach(rng: Generator) -> Case:
    (mea, document), points = draw_mea(rng), draw_points(rng)
    call = {"call": "reach", "mea": document, "points": points[:, 1:].tolist()}
    return call, mea.reach(points).ravel()


def case_source_gain(rng: Generator) -> Case:
    (mea, document), points = draw_mea(rng), draw_points(rng)
    call = {"call": "source_gain", "mea": document, "points": points[:, 1:].tolist()}
    return call, mea.source_gain(mea.distances(points)).ravel()


def case_cell_stimulus(rng: Generator) -> Case:
    (mea, document), points = draw_mea(rng), draw_points(rng)
    currents = rng.normal(0, 20, (int(rng.integers(1, 6)), mea.num_channels))
    call = {
        "call": "cell_stimulus",
        "mea": document,
        "points": points[:, 1:].tolist(),
        "currents_ua": currents.ravel().tolist(),
    }
    return call, mea.cell_stimulus(points, currents).array.ravel()


def case_area(rng: Generator) -> Case:
    low = rng.uniform(-500, 500, 2)
    high = low + rng.uniform(0, 3000, 2)
    pitch, z = float(rng.uniform(20, 900)), float(rng.uniform(-50, 50))
    call = {
        "call": "grid_for_area",
        "area": [low.tolist(), high.tolist()],
        "pitch": pitch,
        "z": z,
    }
    return call, electrode_array_coordinates_for_area(pitch, (tuple(low), tuple(high)), z)


def case_grid(rng: Generator) -> Case:
    arguments = {
        "pitch": float(rng.uniform(1, 2000)),
        "xs": int(rng.integers(1, 9)),
        "ys": int(rng.integers(1, 9)),
        "xoffset": float(rng.uniform(-900, 900)),
        "yoffset": float(rng.uniform(-900, 900)),
        "z": float(rng.uniform(-200, 200)),
    }
    return {"call": "grid", **arguments}, electrode_array_coordinates(**arguments)


def draw_light(rng: Generator) -> LightArray:
    n = int(rng.integers(1, 5))
    return LightArray(
        np.column_stack([np.arange(n), rng.uniform(-300, 300, (n, 3))]),
        numerical_aperture=float(rng.uniform(0.1, 0.9)),
        fiber_radius_um=float(rng.uniform(10, 300)),
        wavelength_nm=float(rng.uniform(380, 700)),
        scattering_coefficient=float(rng.uniform(0, 30)),
    )


def case_irradiance(rng: Generator) -> Case:
    light, points = draw_light(rng), draw_points(rng)
    call = {
        "call": "irradiance",
        "light": json.loads(light.as_json()),
        "points": points[:, 1:].tolist(),
    }
    return call, light.reach(points).ravel()


def case_photon_flux(rng: Generator) -> Case:
    """With the wavelength of the array, which livn does not hand on."""
    light, points = draw_light(rng), draw_points(rng)
    stimulus = light.cell_stimulus(points, np.eye(light.num_channels))
    stimulus.extra["wavelength_nm"] = light.wavelength_nm
    call = {
        "call": "photon_flux",
        "light": json.loads(light.as_json()),
        "points": points[:, 1:].tolist(),
    }
    return call, stimulus.convert_to("photon_flux").array.ravel()


@pytest.mark.parametrize(
    "case",
    [
        case_distances,
        case_reach,
        case_source_gain,
        case_cell_stimulus,
        case_area,
        case_grid,
        case_irradiance,
        case_photon_flux,
    ],
)
def test_numbers_are_livns(case: Callable[[Generator], Case]) -> None:
    cases = [case(np.random.default_rng([7, i])) for i in range(DRAWS)]
    answers = ask([call for call, _ in cases])
    for answer, (call, expected) in zip(answers, cases, strict=True):
        # What is summed may cancel.
        atol = 1e-12 if call["call"] == "cell_stimulus" else 0
        np.testing.assert_allclose(answer, expected, rtol=1e-13, atol=atol, err_msg=str(call))


def test_potentials_are_livns_with_and_without_the_matrix() -> None:
    cases = []
    for i in range(DRAWS):
        rng = np.random.default_rng([8, i])
        (mea, document), points = draw_mea(rng), draw_points(rng)
        currents = rng.normal(0, 1e-3, (len(points), int(rng.integers(1, 7))))
        call = {
            "call": "potential_recording",
            "mea": document,
            "points": points[:, 1:].tolist(),
            "currents_ua": currents.ravel().tolist(),
        }
        cases.append((call, mea.potential_recording(mea.distances(points), currents).ravel()))
    for answer, (_, expected) in zip(ask([c for c, _ in cases]), cases, strict=True):
        assert answer["dense"] == answer["sparse"]
        # Sums of numbers of either sign.
        np.testing.assert_allclose(answer["dense"], expected, rtol=1e-11, atol=1e-10)


def test_spikes_by_channel_are_livns() -> None:
    """livn leaves out the channels without cells; here they are there and empty."""
    cases = []
    for i in range(DRAWS):
        rng = np.random.default_rng([9, i])
        (mea, document), points = draw_mea(rng), draw_points(rng)
        spike_gids = rng.choice(points[:, 0].astype(int), int(rng.integers(0, 20)))
        spike_ms = np.sort(rng.uniform(0, 100, len(spike_gids)))
        call = {
            "call": "channel_recording",
            "mea": document,
            "points": points[:, 1:].tolist(),
            "gids": points[:, 0].astype(int).tolist(),
            "spike_gids": spike_gids.tolist(),
            "spike_ms": spike_ms.tolist(),
        }
        gids, times = mea.channel_recording(points, spike_gids, spike_ms)
        cases.append((call, mea.channel_ids.tolist(), gids, times))
    for answer, (_, channels, gids, times) in zip(ask([c[0] for c in cases]), cases, strict=True):
        assert len(answer) == len(channels)
        for (got_gids, got_times), channel in zip(answer, channels, strict=True):
            assert got_gids == list(gids.get(channel, []))
            assert got_times == list(times.get(channel, []))


def test_contributions_are_livns() -> None:
    cases = []
    for i in range(DRAWS):
        rng = np.random.default_rng([10, i])
        (mea, document), points = draw_mea(rng), draw_points(rng)
        electrode = int(rng.integers(mea.num_channels))
        call = {
            "call": "channel_contribution",
            "mea": document,
            "points": points[:, 1:].tolist(),
            "electrode": electrode,
        }
        cases.append((call, points, mea.channel_contribution(points, mea.channel_ids[electrode])))
    for answer, (_, points, table) in zip(ask([c[0] for c in cases]), cases, strict=True):
        assert [int(points[row[0], 0]) for row in answer] == table["gid"].tolist()
        numbers = table[["distance_um", "gain", "contribution_pct"]].to_numpy()
        got = np.array([row[1:] for row in answer]).reshape(-1, 3)
        np.testing.assert_allclose(got, numbers, rtol=1e-12)


def test_mea_json_is_livns() -> None:
    documents = [draw_mea(np.random.default_rng([11, i]))[1] for i in range(DRAWS)]
    answers = ask([{"call": "mea_json", "mea": document} for document in documents])
    assert answers == documents
    for answer in answers[:50]:
        assert MEA.from_json(json.dumps(answer)).as_json() == json.dumps(answer)


def pulses(entries: list[dict[str, Any]], channels: int, dt_ms: float, ticks: int) -> dict:
    return {
        "call": "pulses",
        "plan": {"pulses": entries},
        "num_electrodes": channels,
        "dt_ms": dt_ms,
        "num_ticks": ticks,
    }


def test_pulses_are_those_of_livns_policies_where_these_are_balanced() -> None:
    """Apart from each other, and on a grid of 2^-5 ms: livn's division loses no row of it."""
    cases = []
    dt_ms = 0.03125
    for i in range(DRAWS):
        rng = np.random.default_rng([12, i])
        n = int(rng.integers(1, 6))
        channels = sorted(rng.choice(n, int(rng.integers(1, n + 1)), replace=False).tolist())
        amplitude = float(np.float32(rng.uniform(0.1, 50)))
        width, gap = int(rng.integers(1, 9)), int(rng.integers(0, 4))
        starts = np.cumsum(rng.integers(2 * width + gap, 60, 4)).tolist()
        entry = {"electrodes": channels, "amplitude_ua": amplitude, "width_us": width * dt_ms * 1e3}
        if i % 2:
            first = bool(rng.random() < 0.5)
            rows = BiphasicPulsePolicy(
                n_channels=n,
                channels=channels,
                dt=dt_ms,
                amplitude=amplitude,
                phase_duration=width * dt_ms,
                interphase_gap=gap * dt_ms,
                pulse_times=[s * dt_ms for s in starts],
                cathodic_first=first,
            )()
            entry |= {"gap_us": gap * dt_ms * 1e3, "cathodic_first": first}
        else:
            rows = MonophasicPulsePolicy(
                n_channels=n,
                channels=channels,
                dt=dt_ms,
                amplitude=amplitude,
                pulse_width=width * dt_ms,
                pulse_times=[s * dt_ms for s in starts],
            )()
            entry |= {"shape": "monophasic", "cathodic_first": False}
        entries = [entry | {"start_us": s * dt_ms * 1e3} for s in starts]
        cases.append((pulses(entries, n, dt_ms, len(rows)), rows))
    for answer, (call, rows) in zip(ask([c for c, _ in cases]), cases, strict=True):
        np.testing.assert_array_equal(answer, rows, err_msg=str(call))


def test_sweeps_are_those_of_livns_policy_where_its_pulses_have_even_rows() -> None:
    cases = []
    for i in range(DRAWS // 10):
        rng = np.random.default_rng([13, i])
        amplitudes = tuple(float(a) for a in rng.integers(1, 600, int(rng.integers(1, 4))))
        dt_ms, half = 0.125, int(rng.integers(1, 5))
        trial, onset = 80, int(rng.integers(0, 60))
        policy = PulseSweepPolicy(
            n_channels=4,
            channels=[1, 3],
            amplitudes=amplitudes,
            repeats=2,
            trial_ms=trial * dt_ms,
            onset_ms=onset * dt_ms,
            pulse_ms=2 * half * dt_ms,
            dt=dt_ms,
        )
        entries = [
            {
                "electrodes": [1, 3],
                "amplitude_ua": a,
                "width_us": half * dt_ms * 1e3,
                "start_us": (onset + k * trial) * dt_ms * 1e3,
                "num_pulses": 2,
                "rate_hz": 1e3 / (trial * dt_ms * len(amplitudes)),
            }
            for k, a in enumerate(amplitudes)
        ]
        rows = policy()
        cases.append((pulses(entries, 4, dt_ms, len(rows)), rows))
    for answer, (call, rows) in zip(ask([c for c, _ in cases]), cases, strict=True):
        np.testing.assert_array_equal(answer, rows, err_msg=str(call))
