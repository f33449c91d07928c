"""python -m livnd.datasets: recordings into the formats of others."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import datetime

from livnd import system
from livnd.arguments import above_0
from livnd.datasets.formats import FORMATS, LAYOUTS, Converted, convert
from livnd.datasets.formats.progress import ProgressLine
from livnd.datasets.interruption import Interruption
from livnd.errors import LivndError

_DESCRIPTION = """\
Makes a file or folder of a recording that a livnd server wrote, or of samples.

  arrow    a folder of livn's rows, for load_from_disk() of Hugging Face's datasets
  parquet  a file of livn's rows
  nwb      Neurodata Without Borders 2, for SpikeInterface, Neo and others
  cl       HDF5 as recordings of Cortical Labs' CL API have it

Of a folder of livnd sample, arrow and parquet make folders with its splits.

There is nothing at PATH until all of it is there. A recording that is still being written, or whose
writer died, is converted as its last flush left it; a line on the standard error says so."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Does what the command line asks for; returns the exit status."""
    args = _parser().parse_args(arguments)
    progress = ProgressLine(None if args.quiet else sys.stderr)
    interruption = Interruption()

    def advance(name: str, done: int, total: int) -> None:
        interruption.check()
        progress(name, done, total)

    try:
        with interruption:
            made = convert(
                args.recording,
                args.to,
                args.out,
                layout=args.layout,
                row_ms=args.row_ms,
                copy=args.copy,
                system=None if args.system is None else system.make(args.system),
                start_time=args.start_time,
                frames_per_second=args.frames_per_second,
                salvage=args.salvage,
                overwrite=args.overwrite,
                progress=advance,
            )
    except (LivndError, OSError) as error:
        progress.close()
        print(f"livnd.datasets: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        progress.close()
        print("livnd.datasets: interrupted; nothing was left", file=sys.stderr)
        return 130
    progress.close()
    _tell(made, args.json, args.quiet)
    return 0


def _tell(made: Converted, as_json: bool, quiet: bool) -> None:
    if as_json:
        told = {"out": str(made.out), "format": made.format, "complete": made.is_complete}
        print(json.dumps({**told, **made.counts, "notes": made.notes}))
        return
    if not quiet:
        for note in made.notes:
            print(f"livnd.datasets: {note}", file=sys.stderr)
    counts = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in made.counts.items())
    print(f"{made.out}: {counts}" + ("" if made.is_complete else "; incomplete"))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m livnd.datasets", description="Recordings in the formats of others."
    )
    commands = parser.add_subparsers(required=True, metavar="convert")
    one = commands.add_parser(
        "convert",
        help="makes a file or folder of a recording",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    one.add_argument(
        "recording", metavar="RECORDING",
        help="the HDF5 file of a livnd server, or the folder of livnd sample",
    )  # fmt: skip
    one.add_argument("--to", choices=FORMATS, required=True, help="what is made")
    one.add_argument("--out", metavar="PATH", required=True, help="where it is put")
    one.add_argument(
        "--layout", choices=LAYOUTS,
        help="of rows: all cells of a run (runs), as in the published sets (trials), or by the "
        "electrodes that hear them (channels: needs --system) (default: runs; of samples trials)",
    )  # fmt: skip
    one.add_argument(
        "--row-ms", type=above_0("finite number"), metavar="MS",
        help="cuts runs into rows of at most so many ms (default: a row is an episode)",
    )  # fmt: skip
    one.add_argument(
        "--copy", type=_copy, metavar="N",
        help="which copy of the session; nwb and cl hold one (default: rows of all, else the "
        "only one)",
    )  # fmt: skip
    one.add_argument(
        "--system", metavar="SYSTEM",
        help="what was recorded, a folder or a name: where cells and electrodes are",
    )  # fmt: skip
    one.add_argument(
        "--start-time", type=_time, metavar="TIME",
        help="of nwb and cl, ISO 8601 with a time zone (default: what the recording tells, else "
        "when it was last written)",
    )  # fmt: skip
    one.add_argument(
        "--frames-per-second", type=above_0("finite number"), metavar="HZ",
        help="of cl (default: a frame is a tick)",
    )  # fmt: skip
    one.add_argument("--salvage", action="store_true", help="leaves out what is damaged")
    one.add_argument("--overwrite", action="store_true", help="what is at PATH may go")
    one.add_argument("--json", action="store_true", help="tells what was made as a JSON object")
    one.add_argument("--quiet", action="store_true", help="says nothing on the standard error")
    return parser


def _copy(text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        value = -1
    if value < 0:
        raise argparse.ArgumentTypeError(f"{text} is no copy's number: 0, 1, ...")
    return value


def _time(text: str) -> datetime:
    try:
        value = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        value = None
    if value is None or value.tzinfo is None:
        accepted = "2026-11-29T12:00:00+00:00, say"
        raise argparse.ArgumentTypeError(f"{text} is no time with a time zone: {accepted}")
    return value


if __name__ == "__main__":
    sys.exit(main())
