"""Pictures: their numbers, their words, and that nothing in them is cut or covered."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import livnd
import numpy as np
import pytest
from livnd.errors import BadFileError, InvalidFieldError
from livnd.plots import draw_recording, draw_system, read_recording
from livnd.plots.__main__ import main
from livnd.plots.layout_of_cells import Map
from livnd.plots.recorded import Choice, Recording
from livnd.plots.recordings import READERS
from livnd.plots.statistics import find_bursts, interval_cv, intervals
from livnd.system import System
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text
from project_files import programs_of
from published_rows import channel_rows, run_rows, trial_rows, write_parquet

ROOT = Path(__file__).resolve().parents[3]
SYSTEMS = {
    "EI-mini": ROOT / "systems/EI-mini",
    "EI-100": ROOT / "systems/EI-100",
    "S1-MEA4": ROOT / "systems/S1-MEA4",
    "S1": ROOT / "tests/data/systems/S1",
    "E-100": ROOT / "tests/data/systems/E-100",
    "EI-alt": ROOT / "tests/data/systems/EI-alt",
}


# --- statistics ----------------------------------------------------------------------------------


def test_intervals_are_those_of_each_unit():
    # Unit 0 at 0, 10, 30; unit 1 at 5, 6; unit 2 once.
    between, owners = intervals(np.array([1, 0, 0, 2, 1, 0]), np.array([6.0, 30, 0, 7, 5, 10]))
    assert between.tolist() == [10, 20, 1]
    assert owners.tolist() == [0, 0, 1]
    for empty in (intervals(np.array([]), np.array([])), intervals(np.array([3]), np.array([1.0]))):
        assert [len(one) for one in empty] == [0, 0]


def test_interval_cv_takes_units_with_enough_intervals():
    regular, other = np.arange(5) * 10.0, np.array([0.0, 10, 30, 60, 100])
    ids = np.repeat([0, 1, 2], [5, 5, 3])
    found = interval_cv(ids, np.concatenate([regular, other, [1.0, 2.0, 3.0]]))
    assert found.tolist() == pytest.approx([0.0, np.std([10, 20, 30, 40]) / 25])


def test_bursts_are_runs_of_close_spikes_of_one_unit():
    times = np.array([0, 50, 150, 200, 300.0, 401, 450, 500, 550, 600])
    found = find_bursts(np.zeros(10, int), times, max_interval_ms=100, min_spikes=5)
    # 100 ms apart is close, 101 is not.
    assert found.starts_ms.tolist() == [0, 401]
    assert found.ends_ms.tolist() == [300, 600]
    assert found.durations_ms.tolist() == [300, 199]
    assert found.num_spikes.tolist() == [5, 5]
    assert len(find_bursts(np.zeros(10, int), times, 100, 6)) == 0
    # Spikes of two units are no burst of either.
    assert len(find_bursts(np.arange(10) % 2, times, 60, 5)) == 0
    assert len(find_bursts(np.array([]), np.array([]))) == 0


def test_bursts_of_random_trains_are_what_a_loop_finds():
    rng = np.random.default_rng(1)
    for _ in range(300):
        count = int(rng.integers(0, 60))
        ids, times = rng.integers(0, 4, count), rng.integers(0, 400, count).astype(float)
        limit, least = float(rng.integers(1, 40)), int(rng.integers(2, 6))
        expected = []
        for unit in range(4):
            run: list[float] = []
            for time in [*np.sort(times[ids == unit]).tolist(), np.inf]:
                if run and time - run[-1] > limit:
                    if len(run) >= least:
                        expected.append((unit, run[0], run[-1], len(run)))
                    run = []
                run.append(time)
        found = find_bursts(ids, times, limit, least)
        parts = (found.units, found.starts_ms, found.ends_ms, found.num_spikes)
        assert list(zip(*(part.tolist() for part in parts), strict=True)) == expected


# --- what is read --------------------------------------------------------------------------------


def test_a_trial_is_a_recording_of_cells(tmp_path):
    rows = trial_rows(np.random.default_rng(2), 5)
    rows[3] |= {"features": [9.2, 1500.0, 250.0], "trial_it": [[2, 4]], "trial_t": [[1.0, 4000.0]]}
    rows[3] |= {"trial_iv": [[0, 7]], "trial_vv": [rows[3]["trial_vv"][0]], "trials": 1}
    path = write_parquet(rows, tmp_path / "rows.parquet")
    found = read_recording(path, Choice(row=3))
    assert found.title == "rows.parquet, row 3 of train"
    assert (found.unit, found.units.tolist()) == ("cell", [0, 1, 2, 3, 4])
    assert (found.ids.tolist(), found.times_ms.tolist()) == ([2, 4], [1.0, 4000.0])
    assert found.duration_ms == 5000
    assert [(pulse.start_ms, pulse.label) for pulse in found.stimuli] == [(1500.0, "channel 9")]
    assert found.traces.values.shape == (2, 20)
    assert (found.traces.dt_ms, found.traces.unit) == (250.0, "mV")
    assert read_recording(path, Choice(row=3, dt_ms=1.0)).traces.dt_ms == 1.0
    rows[3]["features"] = [1.0]
    assert not read_recording(write_parquet(rows, path), Choice(row=3)).stimuli


def test_channels_are_a_recording_of_electrodes(tmp_path):
    rows = channel_rows(np.random.default_rng(3), 2)
    found = read_recording(write_parquet(rows, tmp_path / "rows.parquet"))
    assert (found.unit, found.units.tolist()) == ("electrode", [0, 1, 2, 3])
    for channel in range(4):
        assert found.gids[found.ids == channel].tolist() == rows[0]["cit"][channel]
        assert found.times_ms[found.ids == channel].tolist() == rows[0]["ctt"][channel]
    assert (found.traces.values.shape, found.traces.unit) == ((4, 50), "µV")
    (tmp_path / "conversion_metadata.json").write_text('{"sampling_frequency": 20000}')
    assert read_recording(tmp_path / "rows.parquet").traces.dt_ms == 0.05


def test_a_run_is_a_recording_of_cells(tmp_path):
    rows = run_rows(np.random.default_rng(4), 2)
    found = read_recording(write_parquet(rows, tmp_path / "rows.parquet"), Choice(row=1))
    assert found.ids.tolist() == rows[1]["it"]
    assert found.traces.ids.tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("choice", "error", "says"),
    [
        (Choice(row=5), InvalidFieldError, "row is 5; accepted: 0 .. 4"),
        (Choice(row=2, trial=7), InvalidFieldError, "trial is 7; accepted: 0 .. "),
        (Choice(split="test"), InvalidFieldError, "split is 'test'; accepted: train"),
    ],
)
def test_a_choice_that_is_not_there_is_told(tmp_path, choice, error, says):
    path = write_parquet(trial_rows(np.random.default_rng(5), 5), tmp_path / "rows.parquet")
    with pytest.raises(error, match=re.escape(says)):
        read_recording(path, choice)


def test_files_that_are_no_recordings_are_told(tmp_path):
    (tmp_path / "a.txt").write_text("spikes")
    with pytest.raises(BadFileError, match=r"a\.txt is a file \*\.txt; accepted: a Parquet"):
        read_recording(tmp_path / "a.txt")
    with pytest.raises(FileNotFoundError, match="nowhere"):
        read_recording(tmp_path / "nowhere.parquet")
    assert all(callable(one) for pair in READERS for one in pair)


# --- what is drawn -------------------------------------------------------------------------------


def drawn(figure: Figure) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    FigureCanvasAgg(figure).draw()
    return figure


def panels(figure: Figure) -> dict[str, Axes]:
    """By letter."""
    found = {}
    for axes in figure.axes:
        if letter := axes.get_title(loc="left"):
            found[letter] = axes
    return found


def words_of(figure: Figure) -> str:
    found = [*figure.texts, *figure.findobj(Text)]
    return " ".join(text.get_text() for text in found)


def assert_legible(figure: Figure) -> None:
    """Nothing is cut off at an edge, axes are named, and titles cover nothing of each other."""
    drawn(figure)
    width_in, height_in = figure.get_size_inches()
    box = figure.get_tightbbox(figure.canvas.get_renderer())
    assert min(box.x0, box.y0) >= 0
    assert box.x1 <= width_in
    assert box.y1 <= height_in
    titles = [axes._left_title.get_window_extent() for axes in panels(figure).values()]
    titles += [text.get_window_extent() for text in figure.texts]
    titles += [legend.get_window_extent() for legend in figure.legends]
    for i, one in enumerate(titles):
        assert not any(one.overlaps(other) for other in titles[i + 1 :])
    for axes in panels(figure).values():
        assert axes.get_ylabel()
        for text in axes.texts:
            inside = text.get_window_extent().x0 >= axes.bbox.x0 - 2
            assert inside, text.get_text()


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_system_is_drawn(name):
    system = System(SYSTEMS[name])
    figure = draw_system(system)
    assert_legible(figure)
    assert figure.get_size_inches()[0] == 7.2
    found = panels(figure)
    assert list(found) == ["a", "b", "c", "d"]
    where = Map(system, None)
    assert found["a"].get_xlabel() == f"{where.names[0]} (µm)"
    assert found["c"].get_xlabel() == "distance (µm)"
    assert found["d"].get_ylabel() == "share of the cells (%)"
    # Every cell is marked, and every connection counted.
    marks = sum(len(one.get_offsets()) for one in found["a"].collections)
    assert marks == system.num_neurons
    edges = {pair: system.edges(*pair) for pair in system.projections()}
    shown = {
        patch.get_label(): int(patch.get_data().values.sum())
        for patch in found["c"].patches
        if hasattr(patch, "get_data")
    }
    assert shown == {f"{pre} → {post}": len(e.source_gids) for (pre, post), e in edges.items()}
    legend = [text.get_text() for text in found["d"].get_legend().get_texts()]
    assert legend == list(shown)


def test_a_system_tells_of_electrodes_that_hear_nobody():
    words = {
        name: words_of(draw_system(System(SYSTEMS[name]))) for name in ("S1", "S1-MEA4", "EI-mini")
    }
    assert "16 electrodes (none hears a cell)" in words["S1"]
    assert "Cells (16 electrodes farther away)" in words["S1"]
    assert "4 electrodes (1 without a cell to hear)" in words["S1-MEA4"]
    assert "hears 15 µm far" in words["S1-MEA4"]
    assert "hear)" not in words["EI-mini"]


def test_a_system_without_electrodes_is_drawn(tmp_path):
    shutil.copytree(SYSTEMS["EI-mini"], tmp_path / "bare")
    (tmp_path / "bare/mea.json").unlink()
    figure = draw_system(System(tmp_path / "bare"))
    assert_legible(figure)
    assert "no electrodes" in words_of(figure)


def test_degrees_are_shares_of_cells():
    system = System(SYSTEMS["EI-mini"])
    axes = panels(draw_system(system))["d"]
    line = next(line for line in axes.lines if line.get_label() == "INH → EXC")
    edges = system.edges("INH", "EXC")
    counts = np.bincount(edges.target_gids, minlength=8)
    for degree in range(counts.max() + 1):
        share = line.get_ydata()[np.asarray(line.get_xdata()) <= degree].max(initial=0)
        assert share == pytest.approx(100 * (counts <= degree).mean())


RECORDINGS = {
    "trials": (trial_rows, "S1-MEA4", ["a", "b", "c", "d"]),
    "trials of a deaf array": (trial_rows, "S1", ["a", "b", "c", "d"]),
    "trials alone": (trial_rows, None, ["a", "b", "c"]),
    "channels": (channel_rows, "S1-MEA4", ["a", "b", "c", "d"]),
    "channels alone": (channel_rows, None, ["a", "b", "c"]),
    "runs": (run_rows, None, ["a", "b", "c"]),
}


@pytest.mark.parametrize("name", RECORDINGS)
def test_a_recording_is_drawn(tmp_path, name):
    make_rows, system_name, letters = RECORDINGS[name]
    path = write_parquet(make_rows(np.random.default_rng(6), 6), tmp_path / "rows.parquet")
    system = None if system_name is None else System(SYSTEMS[system_name])
    for row in range(6):
        recording = read_recording(path, Choice(row=row))
        figure = draw_recording(recording, system)
        assert_legible(figure)
        found = panels(figure)
        assert list(found) == letters
        raster = next(axes for axes in figure.axes if axes.get_ylabel() == recording.unit)
        spikes = sum(len(line.get_xdata()) for line in raster.lines if line.get_marker() == "|")
        assert spikes == len(recording.times_ms)
        assert any(axes.get_xlabel() == "time (s)" for axes in figure.axes)
        assert words_of(figure).startswith("rows.parquet, row")


def test_every_cell_has_a_place_in_the_raster(tmp_path):
    rows = [{"trial_it": [[3]], "trial_t": [[10.0]], "t_end": 100}]
    recording = read_recording(write_parquet(rows, tmp_path / "rows.parquet"))
    figure = draw_recording(recording, System(SYSTEMS["EI-mini"]))
    raster = next(axes for axes in figure.axes if axes.get_ylabel() == "cell")
    assert raster.get_ylim() == (-0.7, 9.7)
    assert "Spikes of 10 cells" in words_of(figure)
    assert next(a.get_xlabel() for a in figure.axes if a.get_xlabel()) == "time (ms)"


def random_recording(rng: np.random.Generator) -> Recording:
    """Of any shape: no spikes, one, all at once, or many."""
    num_units, count = int(rng.integers(0, 40)), int(rng.choice([0, 1, 2, 300]))
    count = count if num_units else 0
    duration_ms = float(rng.choice([1.0, 50.0, 5e3, 3.6e6]))
    ids = rng.integers(0, max(num_units, 1), count)
    times = rng.choice([0.0, duration_ms, 0.5 * duration_ms], count)
    if rng.random() < 0.5:
        times = rng.uniform(0, duration_ms, count)
    is_channels = bool(rng.random() < 0.5)
    return Recording("any", is_channels, np.arange(num_units), ids, times, duration_ms, ids)


def test_any_recording_is_drawn():
    rng = np.random.default_rng(7)
    systems = [None, System(SYSTEMS["EI-mini"]), System(SYSTEMS["S1"])]
    for draw in range(24):
        assert_legible(draw_recording(random_recording(rng), systems[draw % 3]))


# --- the command ---------------------------------------------------------------------------------


def run(*arguments: str, folder: Path, prelude: str = "") -> subprocess.CompletedProcess[str]:
    code = prelude + "import sys; from livnd.plots.__main__ import main; sys.exit(main())"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=folder,
        env={
            "PYTHONPATH": str(Path(livnd.__file__).parent.parent),
            "PATH": "/usr/bin:/bin",
            "MPLCONFIGDIR": str(folder),
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_command_draws_into_a_file(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["system", "EI-mini"]) == 0
    assert capsys.readouterr().out == "EI-mini.png\n"
    assert (tmp_path / "EI-mini.png").read_bytes().startswith(b"\x89PNG")
    write_parquet(trial_rows(np.random.default_rng(8), 3), tmp_path / "rows.parquet")
    command = ["recording", "rows.parquet", "--system", str(SYSTEMS["S1-MEA4"]), "--row", "1"]
    for name, start in (("a.pdf", b"%PDF"), ("a.svg", b"<?xml"), ("a.png", b"\x89PNG")):
        assert main([*command, "--out", name]) == 0
        assert (tmp_path / name).read_bytes().startswith(start)
        # The same picture, to the last byte.
        assert main([*command, "--out", "again" + name]) == 0
        assert (tmp_path / name).read_bytes() == (tmp_path / ("again" + name)).read_bytes()


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["system", "nothing"], 1, "livnd.plots: no system 'nothing'"),
        (
            ["system", "EI-mini", "--out", "a.doc"],
            1,
            "--out is 'a.doc'; accepted: *.png, *.pdf, *.svg",
        ),
        (
            ["system", "EI-mini", "--out", "a.gif"],
            1,
            "--out is 'a.gif'; accepted: *.png, *.pdf, *.svg",
        ),
        (
            ["recording", "EI-mini", "--out", "a.JPG"],
            1,
            "--out is 'a.JPG'; accepted: *.png, *.pdf, *.svg",
        ),
        (["system", "EI-mini", "--out", "no/a.png"], 1, "accepted: a file in a folder that exists"),
        (["system", "EI-mini", "--dpi", "5"], 2, "5 is no whole number from 30 on"),
        (["recording", "nothing.parquet"], 1, "nothing.parquet: no such file or folder"),
        (["recording", "bad.parquet"], 1, "bad.parquet is empty (0 bytes); accepted: a Parquet or"),
        (["recording", "rows.parquet", "--row", "9"], 1, "row is 9; accepted: 0 .. 2"),
        (["recording", "rows.parquet", "--row", "-1"], 2, "-1 is no whole number from 0 on"),
        (["recording", "rows.parquet", "--dt", "nan"], 2, "nan is no number of ms above 0"),
        (["recording", "rows.parquet", "--burst-spikes", "1"], 2, "1 is no whole number from 2 on"),
        (["drawing"], 2, "invalid choice: 'drawing'"),
        ([], 2, "required"),
    ],
)
def test_what_is_wrong_is_told(tmp_path, capsys, monkeypatch, arguments, status, says):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.parquet").touch()
    write_parquet(trial_rows(np.random.default_rng(8), 3), tmp_path / "rows.parquet")
    try:
        got = main(arguments)
    except SystemExit as exit_:
        got = exit_.code
    shown = capsys.readouterr()
    assert (got, shown.out) == (status, "")
    assert says in shown.err
    assert "Traceback" not in shown.err


def test_help_explains_the_command(tmp_path):
    done = run("--help", folder=tmp_path)
    assert done.returncode == 0
    for word in ("system", "recording", "pip install 'livnd[plots]'"):
        assert word in done.stdout
    for kind, flags in (
        ("system", ["--out", "--dpi"]),
        ("recording", ["--row", "--system", "--dt"]),
    ):
        done = run(kind, "--help", folder=tmp_path)
        assert done.returncode == 0
        for flag in flags:
            assert flag in done.stdout


def test_without_matplotlib_the_pip_command_is_told(tmp_path):
    """Help works all the same."""
    hidden = "import sys; sys.modules['matplotlib'] = None\n"
    done = run("system", "EI-mini", folder=tmp_path, prelude=hidden)
    assert done.returncode == 1
    assert "drawing needs matplotlib" in done.stderr
    assert "pip install 'livnd[plots]'" in done.stderr
    assert run("--help", folder=tmp_path, prelude=hidden).returncode == 0


def test_the_second_program_of_the_page_makes_a_row_that_is_drawn(tmp_path, monkeypatch):
    program = programs_of("docs/data.md")[1]
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    exec(compile(program, "data.md", "exec"), names)
    names["env"].close()
    assert main(["recording", "EI-100.parquet", "--system", "EI-100"]) == 0
    figure = draw_recording(read_recording("EI-100.parquet"), System(SYSTEMS["EI-100"]))
    assert_legible(figure)
    assert "Spikes of 100 cells" in words_of(figure)
    assert "stimulus, channel 9" in words_of(figure)
    assert "membrane potential\n(mV), by cell" in words_of(figure)


def test_it_runs_as_a_module(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "livnd.plots", "system", "EI-mini", "--out", "a.png"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(Path(livnd.__file__).parent.parent), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "a.png\n", "")
