"""python -m livnd.plots: pictures of systems, of recordings and of searches."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from livnd import extras, system
from livnd.arguments import above_0, whole
from livnd.errors import LivndError, invalid_field
from livnd.plots import style
from livnd.plots.front import draw_front, read_front
from livnd.plots.recorded import Choice
from livnd.plots.recording import draw_recording
from livnd.plots.recordings import read_recording
from livnd.plots.system import draw_system

_ABOVE_0_MS = above_0("number of ms")
_KINDS = (".png", ".pdf", ".svg")  # of files


def main(arguments: Sequence[str] | None = None) -> int:
    """Draws what the command line asks for; returns the exit status."""
    args = _parser().parse_args(arguments)
    try:
        extras.load("matplotlib", "plots", "drawing")
        if args.out is not None:
            _check_out(Path(args.out))
        figure, name = args.draw(args)
        out = Path(args.out or f"{name}.png")
        _save(figure, out, args.dpi)
    except (LivndError, OSError) as error:
        print(f"livnd.plots: {error}", file=sys.stderr)
        return 1
    print(out)
    return 0


def _system(args: argparse.Namespace) -> tuple[Any, str]:
    found = system.make(args.system)
    return draw_system(found), found.name


def _recording(args: argparse.Namespace) -> tuple[Any, str]:
    found = None if args.system is None else system.make(args.system)
    choice = Choice(
        args.name, args.split, args.row, args.trial, args.dt, args.copy, args.episode, args.begin,
        args.span,
    )  # fmt: skip
    figure = draw_recording(
        read_recording(args.file, choice),
        found,
        burst_interval_ms=args.burst_interval,
        burst_spikes=args.burst_spikes,
    )
    return figure, Path(args.file).resolve().stem


def _front(args: argparse.Namespace) -> tuple[Any, str]:
    return draw_front(read_front(args.front)), f"{Path(args.front).resolve().stem}-front"


def _check_out(out: Path) -> None:
    """Matplotlib may know more kinds, whose pictures nobody has looked at."""
    if out.suffix.lower() not in _KINDS:
        raise invalid_field("--out", str(out), ", ".join(f"*{kind}" for kind in _KINDS))
    if not out.parent.is_dir():
        raise invalid_field("--out", str(out), "a file in a folder that exists")


def _save(figure: Any, out: Path, dpi: int) -> None:
    # Without the day, so that the same picture is the same file.
    metadata = {".pdf": {"CreationDate": None}, ".svg": {"Date": None}}.get(out.suffix.lower())
    with style.styled():
        figure.savefig(out, dpi=dpi, metadata=metadata)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m livnd.plots",
        description="Draws a system, a recording or a front on a page.\n"
        "Needs: pip install 'livnd[plots]'",
        formatter_class=argparse.RawDescriptionHelpFormatter,  # a command stays whole
    )
    kinds = parser.add_subparsers(required=True, metavar="system | recording | front")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--out", metavar="FILE", help="*.png, *.pdf or *.svg; by default NAME.png, in this folder"
    )
    common.add_argument(
        "--dpi", type=whole(30, 1200), default=200, help="of a *.png (default: 200)"
    )

    one = kinds.add_parser(
        "system",
        parents=[common],
        help="cells, electrodes, connections, distances, degrees",
        description="Cells, electrodes, connections, distances and degrees of a system.",
    )
    one.add_argument(
        "system", metavar="SYSTEM", help="a folder, or the name of a system that ships"
    )
    one.set_defaults(draw=_system)

    one = kinds.add_parser(
        "front",
        parents=[common],
        help="what livnd tune has found",
        description="The solutions of a search, by pairs of objectives.",
    )
    one.add_argument(
        "front",
        metavar="FRONT",
        help="the folder of a search, or a front.json of livnd's or livn's",
    )
    one.set_defaults(draw=_front)

    one = kinds.add_parser(
        "recording",
        parents=[common],
        help="raster with stimuli, electrodes, traces, intervals, bursts",
        description="A row of a data set, or a recording of a server: raster with stimuli, traces, "
        "electrodes, statistics, rewards, learned weights.",
    )
    one.add_argument(
        "file", metavar="FILE",
        help="a Parquet or Arrow file, a data set's folder, or a recording of a server (*.h5)",
    )  # fmt: skip
    one.add_argument("--system", metavar="SYSTEM", help="what it was recorded from")
    one.add_argument("--name", help="of a part of the data set")
    one.add_argument("--split", help="of the data set (default: its first)")
    one.add_argument("--row", type=whole(0, 2**62), default=0, help="from 0 on (default: 0)")
    one.add_argument("--trial", type=whole(0, 2**62), default=0, help="of the row (default: 0)")
    one.add_argument(
        "--dt",
        type=_ABOVE_0_MS,
        metavar="MS",
        help="between samples of traces; else they fill the row",
    )
    one.add_argument(
        "--copy", type=whole(0, 2**31), metavar="N",
        help="of a server's recording (default: its only one)",
    )  # fmt: skip
    one.add_argument(
        "--episode", type=whole(0, 2**62), metavar="N",
        help="of the copy (default: all, after each other)",
    )  # fmt: skip
    one.add_argument(
        "--begin", type=_from_0, default=0.0, metavar="MS",
        help="where in a server's recording the picture begins (default: 0)",
    )  # fmt: skip
    one.add_argument(
        "--span", type=_ABOVE_0_MS, metavar="MS", help="how long it is (default: to the end)"
    )
    one.add_argument(
        "--burst-interval", type=_ABOVE_0_MS, default=100.0, metavar="MS",
        help="the longest interval within a burst (default: 100)",
    )  # fmt: skip
    one.add_argument(
        "--burst-spikes", type=whole(2, 2**31), default=5, metavar="N",
        help="the fewest spikes of a burst (default: 5)",
    )  # fmt: skip
    one.set_defaults(draw=_recording)
    return parser


def _from_0(text: str) -> float:
    return 0.0 if text.strip() in ("0", "0.0") else _ABOVE_0_MS(text)


if __name__ == "__main__":
    sys.exit(main())
