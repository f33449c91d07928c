"""Pictures of recordings that a server wrote: their numbers, and that all of it can be read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from livnd.errors import BadFileError, InvalidFieldError
from livnd.plots import draw_recording, livnd_recordings, read_recording
from livnd.plots.__main__ import main
from livnd.plots.recorded import Choice, Recording
from livnd.system import System
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from recorded_culture import TICK_NS, Recorded, culture
from test_plots import assert_legible, panels, words_of

ROOT = Path(__file__).resolve().parents[3]
MINI = System(ROOT / "systems/EI-mini")
TICK_MS = TICK_NS / 1e6
# Of culture()'s episodes, ms: 24 and 25 steps of 10 ms in turns.
STARTS_MS = np.array([0, 240, 490, 730])


@pytest.fixture(scope="module")
def recorded() -> Recorded:
    return culture(1, num_copies=2, num_cells=10, num_electrodes=8)


@pytest.fixture(scope="module")
def path(recorded: Recorded, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return recorded.write(tmp_path_factory.mktemp("plots") / "recording.h5")


def own(recorded: Recorded, name: str, copy: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """A copy's rows of a stream, and when they were, ms."""
    rows = recorded.rows[name]
    rows = rows[rows["copy"] == copy]
    return rows, STARTS_MS[rows["episode"] - 1] + rows["tick"] * TICK_MS


def labelled(figure: Figure, start: str) -> Axes:
    """The panel whose vertical axis is called so."""
    return next(axes for axes in figure.axes if axes.get_ylabel().startswith(start))


def test_a_copy_is_read_with_all_that_was_recorded(path, recorded):
    found = read_recording(path, Choice(copy=1))
    assert found.title == "recording.h5, copy 1"
    assert found.duration_ms == 730
    rows, times = own(recorded, "spikes")
    assert np.array_equal(found.ids, rows["gid"]) and np.allclose(found.times_ms, times)
    assert found.starts_ms.tolist() == [240, 490]
    rows, times = own(recorded, "stimuli")
    assert np.array_equal(found.stimulation.channels, rows["channel"][::2])
    assert np.allclose(found.stimulation.times_ms, times[::2])
    assert found.stimulation.what == "electrode" and not found.stimuli
    rows, times = own(recorded, "rewards")
    assert np.array_equal(found.rewards.values, rows["reward"])
    assert np.allclose(found.rewards.times_ms, times)
    rows, times = own(recorded, "voltages")
    assert np.array_equal(found.traces.values, rows["values"].T)
    assert np.allclose(found.traces.times_ms, times)
    assert found.traces.ids.tolist() == [2, 5, 5]
    rows, times = own(recorded, "learned_weights")
    assert np.array_equal(found.weights.first, rows["values"][0])
    assert np.array_equal(found.weights.last, rows["values"][-1])
    assert np.allclose(found.weights.times_ms, times)
    assert np.allclose(found.weights.spread[2], np.median(rows["values"], axis=1))
    rows, _ = own(recorded, "channel_events")
    assert found.heard.tolist() == np.bincount(rows["channel"]).tolist()


def test_an_episode_and_a_span_of_it_can_be_chosen(path, recorded):
    found = read_recording(path, Choice(copy=1, episode=2, begin_ms=100, span_ms=50))
    assert found.title == "recording.h5, copy 1, episode 2, from 0.1 s on"
    assert found.duration_ms == 50 and not len(found.starts_ms)
    rows, times = own(recorded, "spikes")
    inside = (times >= 340 - 1e-6) & (times < 390 - 1e-6)
    assert np.array_equal(found.ids, rows["gid"][inside])
    assert np.allclose(found.times_ms, times[inside] - 340)
    assert len(found.rewards.values) == 5  # of steps that end in it
    stimuli, times = own(recorded, "stimuli")
    pulses = stimuli["channel"][::2][(times[::2] >= 340) & (times[::2] < 390)]
    assert [one.label for one in found.stimuli] == [f"electrode {channel}" for channel in pulses]


@pytest.mark.parametrize("choice", [{}, {"episode": 1}, {"begin_ms": 300, "span_ms": 200}])
@pytest.mark.parametrize("with_system", [True, False])
def test_it_is_drawn(path, recorded, choice, with_system):
    found = read_recording(path, Choice(copy=1, **choice))
    figure = draw_recording(found, MINI if with_system else None)
    assert_legible(figure)
    letters = ["a", "b", "c", "d", "e", "f"] if with_system else ["a", "b", "c", "d", "e"]
    assert list(panels(figure)) == letters
    raster = labelled(figure, "cell")
    spikes = sum(len(line.get_xdata()) for line in raster.lines if line.get_marker() == "|")
    assert spikes == len(found.times_ms)
    assert len(labelled(figure, "membrane potential").lines) >= 3
    (line,) = [one for one in labelled(figure, "reward").lines if len(one.get_xdata()) > 2]
    assert np.array_equal(line.get_ydata(), found.rewards.values)
    (median,) = labelled(figure, "learned weight").lines
    assert np.array_equal(median.get_ydata(), found.weights.spread[2])
    counts = labelled(figure, "connections").patches
    assert [int(one.get_data().values.sum()) for one in counts] == [12, 12]
    if found.stimulation is not None:
        (marks,) = [one for one in labelled(figure, "stimuli").lines if one.get_marker() == "|"]
        assert len(marks.get_xdata()) == len(found.stimulation.times_ms)
    if "episode" not in choice and "begin_ms" not in choice:
        assert "3 episodes" in words_of(figure)


def test_the_map_shows_what_electrodes_have_heard(path):
    found = read_recording(path, Choice(copy=1))
    axes = panels(draw_recording(found, MINI))["d"]
    # The colour of each electrode: the more it heard the darker.
    discs = [one.get_facecolor() for one in axes.patches]
    assert len(discs) == 8
    order = np.argsort([-sum(colour[:3]) for colour in discs], kind="stable")
    assert (np.diff(found.heard[order]) >= 0).all()


@pytest.mark.parametrize("system", [None, MINI])
def test_the_map_is_that_of_the_recording_s_own_electrodes(tmp_path, recorded, system):
    """Of a culture with a device of its own, whose ids are no places; also without a system."""
    other = Recorded(dict(recorded.rows), dict(recorded.units), dict(recorded.stream_attributes))
    events = other.rows["channel_events"].copy()
    events["channel"] += 20
    other.rows["channel_events"] = events
    ids = np.arange(27, 19, -1)
    along_um = 10.0 * (ids - 20)  # the diagonal, whichever axis is horizontal
    other.add_electrodes(np.column_stack([ids, along_um, along_um, np.zeros(8)]))
    found = read_recording(other.write(tmp_path / "recording.h5"), Choice(copy=1))
    figure = draw_recording(found, system)
    assert_legible(figure)
    discs = panels(figure)["d"].patches
    assert [disc.center[0] for disc in discs] == along_um.tolist()
    order = np.argsort([-sum(disc.get_facecolor()[:3]) for disc in discs], kind="stable")
    assert (np.diff(found.heard[ids[order]]) >= 0).all()


def test_electrodes_alone_are_drawn(tmp_path, recorded):
    other = Recorded(dict(recorded.rows), dict(recorded.units), dict(recorded.stream_attributes))
    del other.rows["spikes"], other.rows["learned_weights"], other.rows["rewards"]
    del other.rows["voltages"], other.rows["voltages.labels"]
    ids = np.arange(8)[::-1]
    other.add("potentials.labels", [("channel", "<i8")], {"channel": ids})
    path = other.write(tmp_path / "recording.h5")
    found = read_recording(path, Choice(copy=0))
    assert np.array_equal(found.traces.ids, ids)
    assert found.of_channels and (found.gids == -1).all() and len(found.units) == 8
    assert found.traces.quantity == "electrode potential"
    figure = draw_recording(found, MINI)
    assert_legible(figure)
    assert "Spikes of 8 electrodes" in words_of(figure)
    raster = labelled(figure, "electrode")
    assert sum(len(line.get_xdata()) for line in raster.lines) >= len(found.times_ms)


def test_long_traces_keep_their_extremes(tmp_path, monkeypatch, recorded):
    path = recorded.write(tmp_path / "recording.h5")
    monkeypatch.setattr(livnd_recordings, "_MAX_SAMPLES", 100)
    monkeypatch.setattr(livnd_recordings, "_NUM_BINS", 50)
    found = read_recording(path, Choice(copy=1))
    rows, times = own(recorded, "voltages")
    assert found.traces.values.shape == (3, 100)
    bins = np.minimum((times / 730 * 50).astype(int), 49)
    for index in range(50):
        values = rows["values"][bins == index]
        assert np.array_equal(found.traces.values[:, 2 * index], values.min(axis=0))
        assert np.array_equal(found.traces.values[:, 2 * index + 1], values.max(axis=0))


def test_training_of_many_episodes_is_drawn(tmp_path):
    """Rewards get a mean, and episodes too many lines none."""
    recorded = culture(2, num_episodes=80, num_steps=6)
    found = read_recording(recorded.write(tmp_path / "recording.h5"))
    figure = draw_recording(found, MINI)
    assert_legible(figure)
    rewards = labelled(figure, "reward")
    mean = rewards.lines[1]
    assert len(mean.get_xdata()) == 50
    values, times = found.rewards.values, found.rewards.times_ms
    own = values[(times >= 0) & (times < found.duration_ms / 50)]
    assert mean.get_ydata()[0] == pytest.approx(own.mean())


def test_a_recording_that_is_not_closed_says_so(tmp_path, recorded):
    path = recorded.write(tmp_path / "recording.h5", closed=0)
    found = read_recording(path, Choice(copy=0))
    assert found.title == "recording.h5, copy 0 (not closed)"
    assert isinstance(found, Recording)


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({}, r"copy is None; accepted: 0 \.\. 1"),
        ({"copy": 2}, r"copy is 2; accepted: 0 \.\. 1"),
        ({"copy": 0, "episode": 9}, r"episode is 9; accepted: 1 \.\. 3"),
        ({"copy": 0, "begin_ms": 730}, "begin_ms is 730; accepted: from 0 on and below 730"),
    ],
)
def test_what_is_not_there_is_told(path, choice, message):
    with pytest.raises(InvalidFieldError, match=message):
        read_recording(path, Choice(**choice))


def test_too_many_spikes_are_told(path, monkeypatch, recorded, tmp_path):
    monkeypatch.setattr(livnd_recordings, "_MAX_SPIKES", 100)
    with pytest.raises(
        InvalidFieldError, match="span_ms is '730'; accepted: less, so that there are"
    ):
        read_recording(path, Choice(copy=0))
    other = Recorded(
        {"rewards": recorded.rows["rewards"]}, recorded.units, recorded.stream_attributes
    )
    with pytest.raises(BadFileError, match="spikes is missing; accepted: spikes or channel_events"):
        read_recording(other.write(tmp_path / "a.h5"), Choice(copy=0))


def test_the_command_draws_it(path, tmp_path, capsys):
    out = tmp_path / "a.png"
    arguments = [
        "recording",
        str(path),
        "--copy",
        "1",
        "--episode",
        "2",
        "--begin",
        "50",
        "--span",
        "80",
    ]
    assert main([*arguments, "--system", "EI-mini", "--out", str(out)]) == 0
    assert out.read_bytes().startswith(b"\x89PNG")
    assert main(["recording", str(path), "--out", str(out)]) == 1
    assert "livnd.plots: copy is None; accepted: 0 .. 1" in capsys.readouterr().err
