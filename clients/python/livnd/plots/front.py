"""The front of a search on a page: what was found, and what it costs in each other objective."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from livnd.errors import bad_file
from livnd.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MAX_PANELS = 6
_COLUMNS = 3
# Solutions that are named by their place.
_NUM_NAMED = 5


def read_front(path: str | Path) -> dict[str, Any]:
    """A front.json of `livnd tune` or of livn, or that in the folder of a search.

    Raises:
        BadFileError: it is no front, or has no solution.
    """
    file = Path(path)
    if file.is_dir():
        file = file / "front.json"
    try:
        front = json.loads(file.read_bytes())
    except ValueError as error:
        raise bad_file(file, "", str(error), "JSON") from error
    solutions = front.get("solutions") if isinstance(front, dict) else None
    if not isinstance(solutions, list) or not solutions:
        raise bad_file(file, "solutions", solutions, "a list of solutions")
    names: list[str] | None = None
    for i, solution in enumerate(solutions):
        found = solution.get("objectives") if isinstance(solution, dict) else None
        field = f"solutions[{i}].objectives"
        if not isinstance(found, dict) or len(found) < 2:
            raise bad_file(file, field, found, "two objectives or more")
        if names is not None and list(found) != names:
            raise bad_file(file, field, list(found), f"{names}, as before it")
        if not all(type(value) in (int, float) for value in found.values()):
            raise bad_file(file, field, found, "numbers")
        names = list(found)
    return front


def draw_front(front: dict[str, Any]) -> Figure:
    """Each pair of objectives, with every solution.

    Args:
        front: as read_front gives it. Of pairs beyond the sixth nothing is drawn.
    """
    solutions = front["solutions"]
    names = list(solutions[0]["objectives"])
    pairs = list(itertools.combinations(names, 2))[:_MAX_PANELS]
    rows = -(-len(pairs) // _COLUMNS)
    feasible = [bool(solution.get("feasible")) for solution in solutions]
    with style.styled():
        height_in = 0.75 + 2.5 * rows
        figure = style.new_figure(height_in)
        target = front.get("target")
        name = target.get("name") if isinstance(target, dict) else None
        of = Path(str(front.get("system"))).name
        style.headline(
            figure,
            of if name is None else f"{of}: {name}",
            f"{style.counted(len(solutions), 'solution')} ({sum(feasible)} feasible) of "
            f"{front.get('evaluations', '?')} evaluations; costs, less is better",
        )
        grid = figure.add_gridspec(
            rows, _COLUMNS, left=0.08, right=0.985, bottom=0.45 / height_in,
            top=1 - 0.75 / height_in, wspace=0.36, hspace=0.45,
        )  # fmt: skip
        for i, (x, y) in enumerate(pairs):
            axes = figure.add_subplot(grid[i // _COLUMNS, i % _COLUMNS])
            style.panel(axes, "abcdef"[i], f"{y} by {x}")
            _draw_pair(axes, solutions, feasible, x, y)
    return figure


def _draw_pair(axes: Axes, solutions: list[Any], feasible: list[bool], x: str, y: str) -> None:
    for wanted, color in ((False, style.PALE), (True, style.POPULATIONS[0])):
        chosen = [s for s, held in zip(solutions, feasible, strict=True) if held is wanted]
        axes.scatter(
            [s["objectives"][x] for s in chosen],
            [s["objectives"][y] for s in chosen],
            s=14, color=color, linewidths=0, zorder=3,
            label="feasible" if wanted else "not feasible",
        )  # fmt: skip
    for solution in solutions[:_NUM_NAMED]:
        axes.annotate(
            str(solution.get("loc", "")),
            (solution["objectives"][x], solution["objectives"][y]),
            xytext=(3, 2), textcoords="offset points", fontsize=6, color=style.SOFT,
        )  # fmt: skip
    axes.margins(0.12)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
