"""What is drawn beside the culture: letters, strokes, rasters, and views of tasks."""

from __future__ import annotations

import types

import numpy as np
import pytest
from livnd.gym.views import canvas, font, registry
from livnd.gym.views.activity import Cells, History, Moment
from livnd.gym.views.cart_pole import CartPoleView
from livnd.gym.views.numbers import Marked, NumbersView, WantedAndGot
from livnd.gym.views.pong import PongView
from livnd.gym.views.raster import Raster
from livnd.gym.views.scene import Scene, Stage
from livnd.results import CopyActivity
from livnd.specs import Population, System, TensorSpec

NONE = np.zeros(0, np.int64)


def info(name, unit="1"):
    return TensorSpec(name, np.dtype(float), (), unit, "", np.array(0.0), np.array(1.0), ())


def spec_of(task, *infos, **settings):
    return types.SimpleNamespace(
        task=task,
        environment_id=f"{task}-X-v0",
        infos=tuple(infos),
        settings=settings,
        step_duration_ms=50.0,
        tick_ns=25_000,
        max_episode_steps=9,
    )


def system_of(num_excitatory=3, num_inhibitory=1):
    num = num_excitatory + num_inhibitory
    positions = np.zeros((num, 3))
    positions[:, 0] = np.arange(num) * 100.0
    return System(
        name="X",
        populations=(
            Population("EXC", 0, num_excitatory),
            Population("INH", num_excitatory, num_inhibitory),
        ),
        projections=(),
        positions_um=positions,
        electrode_ids=np.array([4, 9]),
        electrode_positions_um=np.array([[0.0, 0, 0], [250.0, 0, 0]]),
        output_radius_um=110.0,
    )


def history_of(*steps, **first):
    history = History()
    history.begin(Moment(np.zeros(2), {n: np.float64(v) for n, v in first.items()}))
    for infos in steps:
        infos = {name: np.float64(value) for name, value in infos.items()}
        history.add(Moment(np.zeros(2), infos, np.zeros(1), -0.5))
    return history


def drawn(view, history, height=160, width=320):
    on = canvas.picture(height, width, canvas.GROUND)
    view.draw(on, history)
    return on


def count(on, colour):
    return int((on == colour).all(axis=-1).sum())


# --- letters and strokes --------------------------------------------------------------------------


def test_letters_differ_and_have_one_case():
    text = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,:-+=/%()*_ "
    shapes = [font.mask(letter).tobytes() for letter in text]
    assert len(set(shapes)) == len(text)
    np.testing.assert_array_equal(font.mask("spikes"), font.mask("SPIKES"))
    assert font.mask("").shape == (font.HEIGHT, 0)
    assert font.mask("ab").shape == (font.HEIGHT, 2 * font.ADVANCE)
    assert font.mask("ß").any() and not font.mask(" ").any()


@pytest.mark.parametrize(("top", "left"), [(0, 0), (17, 3), (3, 35), (30, 60)])
def test_what_does_not_fit_is_left_out(top, left):
    on = canvas.picture(20, 40)
    canvas.write(on, top, left, "long enough")
    want = np.zeros((40, 200), bool)
    mask = font.mask("long enough")
    want[top : top + 7, left : left + mask.shape[1]] = mask
    np.testing.assert_array_equal((on == canvas.INK).all(axis=2), want[:20, :40])


def test_a_curve_goes_from_the_bottom_to_the_top():
    on = canvas.picture(11, 21)
    canvas.curve(on, np.array([0.0, 5.0, 10.0]), 0.0, 10.0, canvas.RED)
    rows, columns = np.nonzero((on == canvas.RED).all(axis=2))
    assert set(columns) == set(range(21)), "no column is left out"
    assert rows[columns == 0].tolist() == [10] and rows[columns == 20].min() == 0
    gap = canvas.picture(11, 21)
    canvas.curve(gap, np.array([0.0, np.nan, 10.0, 10.0, 10.0]), 0.0, 10.0, canvas.RED)
    columns = np.nonzero((gap == canvas.RED).all(axis=2))[1]
    assert 0 in columns and 20 in columns and not set(columns) & set(range(2, 9))


def test_discs_lines_and_rectangles_may_leave_the_picture():
    on = canvas.picture(10, 10)
    canvas.disc(on, 0, 0, 3, canvas.RED)
    canvas.line(on, (-5, 5), (15, 5), canvas.BLUE, 3)
    canvas.fill(on, 8, 8, 10, 10, canvas.GREEN)
    canvas.disc(on, 40, 40, 3, canvas.ORANGE)
    assert (on[:, 4:7] == canvas.BLUE).all()
    assert (on[0, 0] == canvas.RED).all() and (on[9, 9] == canvas.GREEN).all()
    assert not count(on, canvas.ORANGE)


# --- cells and rasters ----------------------------------------------------------------------------


def test_electrodes_hear_the_cells_in_their_reach():
    cells = Cells(system_of())
    assert [hearers.tolist() for hearers in cells.hearers] == [[0, 1], [2, 3]]
    counts = cells.counts(np.array([3, 3, 1, 2]))
    assert counts.tolist() == [0, 1, 1, 2]
    assert cells.heard(counts).tolist() == [1, 3]
    assert cells.is_inhibitory.tolist() == [False, False, False, True]


def test_a_raster_has_a_stroke_for_each_spike_and_pulse():
    raster = Raster(Cells(system_of()), 2000, 50.0, 48, 400)
    assert raster.window_ms == 2000.0
    activity = CopyActivity(
        True,
        np.array([0, 3]),
        np.array([0, 1999]),
        np.array([1, 0]),
        np.array([1000, 1000]),
        np.array([-2.0, 1.0]),
    )
    raster.add(activity)
    step = raster.picture[:, -10:]
    assert (step[8:18, 0] == (7, 50, 59)).all(), "ten rows for each of four cells"
    assert (step[38:48, 9] == (150, 60, 160)).all(), "the inhibitory one is below, at the end"
    assert count(step, (7, 50, 59)) == count(step, (150, 60, 160)) == 10
    assert (step[:7, 5] == canvas.BLUE).all(), "the stronger of two pulses at once"
    assert not count(step, canvas.RED)
    before = raster.picture.copy()
    raster.mark()
    np.testing.assert_array_equal(raster.picture[:, :-1], before[:, 1:])
    raster.skip(2)
    np.testing.assert_array_equal(raster.picture[:, :-21], before[:, 21:])
    raster.skip(1000)
    assert len(np.unique(raster.picture.reshape(-1, 3), axis=0)) == 1


def test_many_cells_share_rows():
    cells = Cells(system_of(900, 100))
    raster = Raster(cells, 2000, 500.0, 108, 300)
    gids = np.arange(1000)
    raster.add(CopyActivity(True, gids, np.full(1000, 7), NONE, NONE, np.zeros(0)))
    column = raster.picture[8:, -raster._step_width]
    assert (column[:89] == (7, 50, 59)).all() and (column[-9:] == (150, 60, 160)).all()
    assert raster.window_ms >= 20 * 500.0


# --- views of tasks -------------------------------------------------------------------------------


def test_a_task_without_a_view_shows_its_numbers():
    spec = spec_of("Juggling", info("balls"), info("height_m", "m"))
    view = registry.view_of(spec)
    assert isinstance(view, NumbersView)
    few = drawn(view, history_of({"balls": 1, "height_m": 2}, balls=0, height_m=0))
    more = drawn(view, history_of({"balls": 1, "height_m": 3}, balls=0, height_m=0))
    assert count(few, canvas.GREEN) > 20 and (few != more).any()
    drawn(view, history_of(), height=30)  # too low for all of them
    drawn(view, history_of({}, balls=1), height=5)


@pytest.mark.parametrize(
    ("task", "names", "kind"),
    [
        ("TargetRate", ["target_rate_hz", "rate_hz"], WantedAndGot),
        ("PatternEvocation", ["wanted_spikes", "heard_spikes"], WantedAndGot),
        ("BurstSuppression", ["spikes_per_cell", "is_burst"], Marked),
        ("CartPole", ["cart_position_m", "pole_angle_rad", "force_n"], CartPoleView),
        ("Pong", ["ball_x", "ball_y", "paddle_y"], PongView),
        ("PongFeedback", ["ball_x", "ball_y", "paddle_y"], PongView),
    ],
)
def test_a_task_with_a_view_has_it_where_it_has_its_numbers(task, names, kind):
    assert isinstance(registry.view_of(spec_of(task, *map(info, names))), kind)
    assert isinstance(registry.view_of(spec_of(task, info(names[0]))), NumbersView)


def test_wanted_and_got_are_on_one_scale():
    view = registry.view_of(spec_of("TargetRate", info("target_rate_hz"), info("rate_hz")))
    steps = [{"target_rate_hz": 8, "rate_hz": rate} for rate in (2, 4, 8)]
    on = drawn(view, history_of(*steps, target_rate_hz=8, rate_hz=0))
    box = on[30:94, 8:-8]
    green, red = ((box == colour).all(axis=2) for colour in (canvas.GREEN, canvas.RED))
    assert red[0, 1:-20].all(), "what is wanted is at the top"
    assert green[:, -1].nonzero()[0].min() == 0 and green[:, 0].nonzero()[0].max() > 55


def test_marks_are_where_the_other_number_is_not_0():
    view = registry.view_of(spec_of("BurstSuppression", info("spikes_per_cell"), info("is_burst")))
    steps = [{"spikes_per_cell": 1, "is_burst": step == 2} for step in range(4)]
    on = drawn(view, history_of(*steps, spikes_per_cell=0, is_burst=0))
    columns = (on[30:60] == canvas.ORANGE).all(axis=2).any(axis=0).nonzero()[0]
    assert len(columns) == 3 and abs(columns[1] - (8 + 0.75 * 303)) <= 1


def test_the_pole_leans_where_it_falls():
    spec = spec_of("CartPole", *map(info, ("cart_position_m", "pole_angle_rad", "force_n")))
    view = registry.view_of(spec)

    def middle(angle, position):
        now = {"cart_position_m": position, "pole_angle_rad": angle, "force_n": 0}
        on = drawn(view, history_of(now, **now))[:80]  # above the numbers
        return [(on == c).all(axis=2).nonzero()[1].mean() for c in (canvas.ORANGE, canvas.INK)]

    (left, cart), (right, _) = middle(-0.2, 0.0), middle(0.2, 0.0)
    assert left < cart < right
    assert middle(0.0, 1.0)[1] > cart + 20
    nan = {"cart_position_m": np.nan, "pole_angle_rad": np.nan, "force_n": np.nan}
    drawn(view, history_of(nan, **nan))


def test_ball_and_paddle_are_where_they_are():
    names = ("ball_x", "ball_y", "paddle_y", "feedback")
    view = registry.view_of(spec_of("PongFeedback", *map(info, names), half_paddle=0.1))

    def places(**now):
        court = drawn(view, history_of(now, **now))[:106, 8:-8]
        return [
            np.argwhere((court == colour).all(axis=2)) for colour in (canvas.ORANGE, canvas.INK)
        ]

    ball, paddle = places(ball_x=0.0, ball_y=1.0, paddle_y=0.5, feedback=0)
    assert ball[:, 0].min() == 0 and ball[:, 1].min() <= 5, "above, at the paddle's side"
    assert paddle[:, 1].max() < 5 and abs(paddle[:, 0].mean() - 52) <= 1
    assert abs(len(set(paddle[:, 0])) - 0.2 * 105) <= 1, "as long as it is"
    ball, paddle = places(ball_x=1.0, ball_y=0.0, paddle_y=0.0, feedback=0)
    assert ball[:, 0].max() == 105 and ball[:, 1].max() >= 298
    assert paddle[:, 0].max() == 105
    walls = []
    for kind in range(3):
        now = {"ball_x": 0.5, "ball_y": 0.5, "paddle_y": 0.5, "feedback": kind}
        walls.append(tuple(drawn(view, history_of(now, **now))[50, -10]))
    assert walls == [canvas.FAINT, canvas.GREEN, canvas.RED]
    nan = dict.fromkeys(names, np.nan)
    drawn(view, history_of(nan, **nan))


def test_a_view_can_be_registered(monkeypatch):
    monkeypatch.setattr(registry, "_BY_TASK", dict(registry._BY_TASK))

    class Blue:
        def draw(self, on, history):
            on[:] = canvas.BLUE

    registry.register("Juggling", lambda spec: Blue())
    scene = Scene(Stage(spec_of("Juggling"), system_of()))
    scene.begin(Moment(np.zeros(2), {}))
    assert count(scene.frame(), canvas.BLUE) > 320 * 100


def test_a_frame_tells_steps_and_return():
    stage = Stage(spec_of("Juggling"), system_of())
    scenes = [Scene(stage) for _ in range(2)]
    for scene in scenes:
        scene.begin(Moment(np.zeros(2), {}))
        scene.step(Moment(np.zeros(2), {}, np.zeros(1), 1.5), CopyActivity.of_nothing())
    np.testing.assert_array_equal(scenes[0].frame(), scenes[1].frame())
    scenes[1].step(Moment(np.zeros(2), {}, np.zeros(1), 0.25), CopyActivity.of_nothing())
    assert (scenes[0].frame()[:20] != scenes[1].frame()[:20]).any()
    assert scenes[1]._history.total_reward == 1.75 and scenes[1]._history.num_steps == 2
    scenes[1].begin(Moment(np.zeros(2), {}))
    assert scenes[1]._history.num_steps == 0 and scenes[1]._history.total_reward == 0
