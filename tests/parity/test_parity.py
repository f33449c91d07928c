"""livnd beside livn 2.0.0: random cases, a chaotic network, and whether a difference is found."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parents[1]
sys.path.insert(0, str(FOLDER))

from draw import draw_case  # noqa: E402
from engines import trace_module  # noqa: E402
from judge import judge  # noqa: E402

LIVND = Path(os.environ.get("LIVND_BINARY", ROOT / "bazel-bin/server/livnd"))


def parity(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(FOLDER / "main.py"), *arguments],
        cwd="/",
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def test_random_cases_are_equal() -> None:
    done = parity("--random", "16", "--seed", "20261123", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    figures = json.loads(done.stdout.splitlines()[-1])
    assert figures["passed"] == 16
    assert figures["spikes"] > 50
    assert figures["judged_ms"] > 0.9 * figures["simulated_ms"]
    assert figures["worst_silent_dv_mv"] < 1e-6


def test_recorded_states_currents_potentials_and_learned_weights_are_equal(tmp_path: Path) -> None:
    # open_cases_test compares voltages and spikes, by marks of their own.
    paths = sorted((ROOT / "tests/data/oracle").glob("*.json"))
    command = [str(LIVND), "parity", "--traces", str(tmp_path), *map(str, paths)]
    subprocess.run(command, capture_output=True, timeout=120, check=True)
    compared: dict[str, int] = {"state_part": 0, "current_ua": 0, "dw": 0}
    for path in paths:
        case = {"dt": 0.025, "model": {}, **json.loads(path.read_text())}
        if any(mark["dv_mv"] is None for mark in case["marks"]):
            continue  # amplifies rounding
        recorded = trace_module().load(path.with_suffix(".h5"))
        own = trace_module().load(tmp_path / path.with_suffix(".h5").name)
        for verdict in judge(case, recorded, recorded, own):
            assert verdict.faults == [], path.name
            for name in compared:
                compared[name] += getattr(verdict, name) > 0.0
    assert min(compared.values()) > 0, compared


def test_a_chaotic_network_has_the_same_statistics() -> None:
    done = parity("--statistics", "--seeds", "16", "--duration", "500", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["faults"] == []


def test_a_wrong_engine_is_found_and_its_cases_are_kept(tmp_path: Path) -> None:
    # It starts a thousandth of a millivolt off.
    wrong = tmp_path / "livnd"
    wrong.write_text(
        f"#!{sys.executable}\n"
        "import json, subprocess, sys\n"
        "case = json.load(open(sys.argv[-1]))\n"
        "case['v_init'] = case.get('v_init', -75.0) + 1e-3\n"
        "json.dump(case, open(sys.argv[-1], 'w'))\n"
        f"sys.exit(subprocess.call(['{LIVND}', *sys.argv[1:]]))\n"
    )
    wrong.chmod(wrong.stat().st_mode | stat.S_IXUSR)
    kept = tmp_path / "kept"
    arguments = ["--random", "3", "--seed", "1", "--livnd", str(wrong), "--keep", str(kept)]
    done = parity(*arguments)
    assert done.returncode == 1
    assert done.stdout.count("FAILED random_1_") == 3
    assert "3 cases of seed 1: 0 passed, 3 failed" in done.stdout
    assert len(list(kept.glob("random_1_*.json"))) == 3
    # The kept case is whole: the right engine passes it by itself.
    again = subprocess.run(
        [str(LIVND), "parity", *map(str, sorted(kept.glob("*.json")))],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert again.returncode == 0, again.stdout + again.stderr
    assert all(json.loads(line)["pass"] for line in again.stdout.splitlines())


def test_the_command_explains_itself_without_set_up() -> None:
    done = subprocess.run(
        [str(FOLDER / "run"), "--help"],
        cwd="/",
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0
    assert done.stdout.startswith("usage: tests/parity/run --random N")


def livnd_parity(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(LIVND), "parity", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_a_case_without_a_trace_runs_only_where_its_own_is_wanted(tmp_path: Path) -> None:
    path = tmp_path / "one.json"
    shutil.copy(ROOT / "tests/data/oracle/exc_rest.json", path)
    done = livnd_parity(str(path))
    assert done.returncode == 1
    assert "one.h5 is missing; with --traces it is not needed" in done.stderr
    own = tmp_path / "own"
    own.mkdir()
    done = livnd_parity("--traces", str(own), str(path))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["pass"] is None
    voltages = trace_module().load(own / "one.h5")["r0_v"]
    recorded = trace_module().load(ROOT / "tests/data/oracle/exc_rest.h5")["r0_v"]
    assert np.abs(voltages - recorded).max() < 1e-9


def test_livns_trace_is_never_replaced(tmp_path: Path) -> None:
    for suffix in (".json", ".h5"):
        shutil.copy(ROOT / f"tests/data/oracle/exc_rest{suffix}", tmp_path)
    before = (tmp_path / "exc_rest.h5").read_bytes()
    done = livnd_parity("--traces", str(tmp_path), str(tmp_path / "exc_rest.json"))
    assert done.returncode == 1
    assert "--traces would replace livn's trace" in done.stderr
    assert (tmp_path / "exc_rest.h5").read_bytes() == before
    done = livnd_parity("--traces", str(tmp_path / "nowhere"), str(tmp_path / "exc_rest.json"))
    assert done.returncode == 1
    assert "nowhere/exc_rest.h5: cannot be written" in done.stderr


def test_a_case_depends_on_its_seed_and_number_alone() -> None:
    case, features = draw_case(7, 3)
    again, _ = draw_case(7, 3)
    assert case == again
    assert features
    assert draw_case(7, 4)[0] != case
    assert draw_case(8, 3)[0] != case
    assert json.loads(json.dumps(case)) == case


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "one of the arguments --random --statistics is required"),
        (["--random", "0"], "at least 1"),
        (["--statistics", "--seeds", "2"], "--seeds from 8"),
        (["--random", "1", "--livnd", "/no/livnd"], "build //server:livnd first"),
    ],
)
def test_nonsense_is_refused(arguments: list[str], said: str) -> None:
    done = parity(*arguments)
    assert done.returncode == 2
    assert said in done.stderr


# One EXC cell, one section, two runs of 1 ms; nothing happens.
CASE = {
    "dt": 0.1,
    "model": {"refractory_period": 0.3},
    "record": {"sample_dt": 0.1, "every": 1},
    "runs": [{"duration": 1.0}, {"duration": 1.0}],
}


def quiet(**changes: np.ndarray) -> dict[str, np.ndarray]:
    out = {"node_gid": np.array([0]), "node_section": np.array([0])}
    for i in range(2):
        out[f"r{i}_v"] = np.full((1, 10), -60.0)
        out[f"r{i}_spike_gid"] = np.empty(0, dtype=int)
        out[f"r{i}_spike_t"] = np.empty(0)
        out[f"r{i}_state"] = np.ones((1, 19))
    return {**out, **changes}


def spikes(run: int, *times_ms: float) -> dict[str, np.ndarray]:
    gids = np.zeros(len(times_ms), dtype=int)
    return {f"r{run}_spike_t": np.array(times_ms), f"r{run}_spike_gid": gids}


def off(run: int, by_mv: float, start: int = 4) -> dict[str, np.ndarray]:
    v = np.full((1, 10), -60.0)
    v[:, start:] += by_mv
    return {f"r{run}_v": v}


def faults(livn: dict, twin: dict, livnd: dict) -> list[list[str]]:
    return [verdict.faults for verdict in judge(CASE, livn, twin, livnd)]


def test_equal_results_pass() -> None:
    same = quiet(**spikes(0, 0.2, 0.7))
    assert faults(same, same, same) == [[], []]


def test_a_silent_cell_must_be_nearer_than_a_spiking_one() -> None:
    assert faults(quiet(), quiet(), quiet(**off(0, 0.9e-6))) == [[], []]
    assert len(faults(quiet(), quiet(), quiet(**off(0, 1.1e-6)))[0]) == 1
    fired = spikes(0, 0.2)
    assert faults(quiet(**fired), quiet(**fired), quiet(**fired, **off(1, 0.9e-2))) == [[], []]
    assert len(faults(quiet(**fired), quiet(**fired), quiet(**fired, **off(1, 1.1e-2)))[1]) == 1


def test_what_livn_does_not_determine_is_not_asked() -> None:
    assert faults(quiet(), quiet(**off(0, 1e-3)), quiet(**off(0, 0.09))) == [[], []]
    assert len(faults(quiet(), quiet(**off(0, 1e-3)), quiet(**off(0, 0.11)))[0]) == 1
    # Parted by more than 1 mV: nothing after it counts, not even in the next run.
    livnd = quiet(**off(0, 50.0), **off(1, 50.0, 0), **spikes(1, 0.5))
    assert faults(quiet(), quiet(**off(0, 1.5)), livnd) == [[], []]
    # But what was before does.
    assert len(faults(quiet(), quiet(**off(0, 1.5)), quiet(**off(0, 50.0, 2)))[0]) == 1


def test_a_result_that_is_no_number_is_a_difference() -> None:
    assert len(faults(quiet(), quiet(), quiet(**off(0, np.nan)))[0]) == 1


def test_spikes_must_be_the_same_at_the_same_steps() -> None:
    livn = quiet(**spikes(0, 0.2, 0.7))
    assert len(faults(livn, livn, quiet(**spikes(0, 0.2, 0.8)))[0]) == 1
    assert len(faults(livn, livn, quiet(**spikes(0, 0.2)))[0]) == 1
    assert len(faults(livn, livn, quiet(**spikes(0, 0.1, 0.2, 0.7)))[0]) == 1


def test_a_spike_at_the_very_end_belongs_to_the_next_run() -> None:
    livn = quiet(**spikes(0, 1.0))
    assert faults(livn, livn, quiet(**spikes(1, 0.0))) == [[], []]
    assert len(faults(livn, livn, quiet())[1]) == 1


def test_a_spike_at_the_end_of_the_refractory_period_ends_what_is_judged() -> None:
    livn = quiet(**spikes(0, 0.2))
    tied = quiet(**spikes(0, 0.2, 0.5), **off(0, 30.0, 5), **off(1, 30.0, 0))
    verdicts = judge(CASE, livn, livn, tied)
    assert [verdict.faults for verdict in verdicts] == [[], []]
    assert verdicts[0].refractory_tie
    assert verdicts[0].judged_ms == pytest.approx(0.5)
    early = quiet(**spikes(0, 0.2, 0.4))
    assert len(faults(livn, livn, early)[0]) == 1
