"""Started by tests/parity/run, which builds livnd."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import chaotic
import random_cases
from engines import ROOT

DESCRIPTION = """\
Runs livn 2.0.0 (native backend) and livnd side by side; exit status 1 if they disagree."""

EPILOG = """\
--random N draws N cultures of RCSD cells - single cells and small networks, parameters, synapses,
plasticity, noise, stimuli, several runs each. livn runs each of them twice, its v_init differing
by 1e-12 mV. A case passes if the spikes are equal (cell and step) and |dV| of every section at
every step stays below the larger of a fixed mark (1e-6 mV while no cell has spiked, 1e-2 mV after)
and 100 times the difference of livn's two runs, up to the time where these are 1 mV apart. Learned
weights, states at the end of a run and membrane currents have limits that follow from it
(judge.py). A line is printed for each case that fails, then a summary.

Case i of a seed is the same whatever N is. --keep DIR keeps failing cases as DIR/NAME.json with
livn's result beside it, so that  livnd parity DIR/NAME.json  runs one again; the trace of livnd is
DIR/livnd/NAME.h5.

--statistics runs a small noisy network over many seeds of its noise, long enough for livn's own
two runs to part. Up to there livnd has to be equal by the rule above. Over the whole time the two
engines must have the same statistics: rates of both populations, intervals between spikes, bursts.
The test is a permutation test over pairs of runs of one seed; see chaotic.py."""


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    """The command line; exits on nonsense."""
    parser = argparse.ArgumentParser(
        prog="tests/parity/run",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--random", type=int, metavar="N", help="number of random cases")
    what.add_argument("--statistics", action="store_true", help="a chaotic network, many seeds")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="of all draws, default 0")
    parser.add_argument("--first", type=int, default=0, metavar="I", help="first case, default 0")
    parser.add_argument(
        "--seeds", type=int, default=20, metavar="N", help="of the network's noise, default 20"
    )
    parser.add_argument(
        "--duration", type=float, default=1000.0, metavar="MS", help="of the network, default 1000"
    )
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count() or 1, metavar="J", help="default: all cores"
    )
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep failing cases here")
    parser.add_argument("--json", action="store_true", help="print one JSON object a line instead")
    parser.add_argument(
        "--livnd",
        type=Path,
        default=Path(os.environ.get("LIVND_BINARY", ROOT / "bazel-bin/server/livnd")),
        metavar="PATH",
        help="default $LIVND_BINARY, else bazel-bin/server/livnd",
    )
    options = parser.parse_args(arguments)
    if options.random is not None and options.random < 1:
        parser.error("--random takes a number of cases, at least 1")
    if options.jobs < 1 or options.first < 0 or options.seeds < 8 or not options.duration >= 100.0:
        parser.error("takes J from 1, I from 0, --seeds from 8, --duration from 100 ms on")
    if not options.livnd.is_file():
        parser.error(f"there is no {options.livnd}: build //server:livnd first")
    options.livnd = options.livnd.resolve()
    return options


def main() -> int:
    """Run the command line."""
    options = parse_arguments(sys.argv[1:])
    return chaotic.main(options) if options.statistics else random_cases.main(options)


if __name__ == "__main__":
    sys.exit(main())
