"""Measures livnd beside baselines; started by ./bench, which builds what it needs."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import backend
import closed_loop
import copies
import devices
import engine
import fleet
import front
import generate
import long_run
import point
import recording
import rl
import sample
import serve
import sessions
import state
import tune
import vogels_abbott
from report import Report, say, warn_if_busy
from worker import BenchError, Worker

# What measures, in the order of the output; each has LINES and run().
MODULES = (
    engine,
    backend,
    closed_loop,
    copies,
    state,
    point,
    vogels_abbott,
    serve,
    sessions,
    fleet,
    devices,
    recording,
    generate,
    tune,
    sample,
    rl,
)
# What --long adds.
LONG_LINES = [*generate.LONG_LINES, *long_run.LINES, *front.LINES]
# Read by every worker that simulates (subject.cc).
ISA_VARIABLE = "LIVND_BENCH_ISA"
ROOT = Path(__file__).resolve().parents[2]

DESCRIPTION = """\
Measures how fast livnd is, each time beside a baseline that is measured in the same run.

Each line of standard output is one JSON object:
  name      of the line, see below
  value     livnd's figure, in `unit`
  baseline  the other one's figure, in the same unit; null where nobody else can do it
  ratio     how many times better livnd is; above 1 is better, whatever the unit
  cpu, isa  the processor, and the instruction set that the engine's kernels use on it
Everything else goes to standard error. A busy machine gives worse figures; it is reported there."""

EPILOG = """\
groups
  engine   What the engine is worth, whatever the size of a culture: microseconds of one core for
           one cell and one step of 25 us, beside livn 2.0.0's native backend.
             copies-64-NAME   64 copies of EI-NAME that run as those of an environment do, beside
                              one copy of EI-1000 in the same engine: what small cultures cost
             threads-NAME     seconds for one simulated second on 2 threads, beside those on 1,
                              best of many windows: the ratio is the speed-up. net-1000 is
                              one culture whose cells they share, copies-64 are 64 copies of
                              EI-mini.
             snapshot, fork   microseconds to save a copy of EI-100; to save one and load it into
                              another, whose next step brings up to date what follows from the
                              state. livn can do neither: baseline and ratio are null.
             reset            microseconds to start EI-100 over with new noise, without the step
                              that follows (see livn/reset-100), beside livn's clear()
             memory-per-copy  bytes that one more copy of EI-100 takes in a gang of 64, beside
                              those of its saved state
             minute-100       with --long only: CPU seconds of the hundredth simulated minute of
                              EI-mini, beside those of the first
  livn     What livn's user gains: CPU seconds for one simulated second of a whole culture, for
           more cultures, and a reset with the step that follows it. Where engine and livn name
           the same culture, it is measured once and printed in both forms, with the same ratio.
             loop-N  a step of 10 ms in a closed loop with N cells of net-N: CPU milliseconds to
                     encode a biphasic pulse of 16 electrodes, run, and decode the spikes. Both
                     start over every 100 steps.
             backend-EI-100  seconds of the wall for one simulated second of a program of livn's, in
                     runs of 100 ms, with LIVN_BACKEND=livnd.livn, beside the native backend; and
             backend-run-1  milliseconds of its run(1), beside the engine alone

           In both groups livn and the engine simulate the same system with the same parameters,
           noise and seed, so the same spikes. They take turns on one core over the same windows;
           figures are medians of CPU time. A system's params/default.json is used where it has
           one, livn's default noise at the weights of the graph otherwise. cells-N are
           unconnected cells without noise; net-N are random networks with noise, in which a
           cell has inputs from 50 others and fires at some 40 Hz; in net-N-stdp the NMDA and
           GABA_A synapses learn. The network is chaotic: spikes are the same until rounding has
           grown, and then their number.
  point    The point neurons, as `engine`: 1000 unconnected cells that fire by themselves, beside
           the same equations in NumPy, which is how Brian2 without a compiler computes them.
             vogels-abbott-MODEL  CPU seconds for one simulated second of 4,000 cells, 2 % of all
                     pairs connected, in steps of 0.1 ms, beside the C++ program that Brian2 makes
                     of the same network, on one thread (with --quick: Brian2 without a compiler).
                     lif are the benchmark of Vogels and Abbott (2005) with current synapses
                     (tau_m 20 ms, E_L -49, threshold -50, reset -60 mV, 5 ms refractory; 1.62 mV
                     and 5 ms excitatory, -9 mV and 10 ms inhibitory), delays of 0.2 ms and Euler's
                     scheme; izhikevich are livn's cells, spontaneously firing, in that network.
  serve    What an agent waits for, over a Unix socket: copies of {environment}
           beside a bare gRPC echo whose messages hold as many bytes, from the same language and
           in the same round. Names end in -LANGUAGE-COPIES.
             step       median time of a Step from call to answer, beside the echo's
             step-p99   the 99th percentile
             rate       environment steps a second (copies times calls), beside the echo's calls
             overhead   what serving costs: a Step's time less the time of the very same step,
                        same seeds and actions, in a process without server or client; median,
                        beside the echo's. Noise can push it below zero; ratio is then null.
             null       median time of a Step of Null-v0, in which nothing happens: 8 numbers go
                        and 64 come for each copy; beside the echo's. For LANGUAGE `stream` C++
                        sends and receives steps over a StepStream, one at a time, beside a stream
                        of echoes. Names that end in -tcp: over TCP on this machine
           A Step holds {step_ms:g} ms of simulated time: `step` and `rate` tell mostly about the
           engine, `overhead` about the server and the client.

  sessions What keeping sessions costs.
             journal-LANGUAGE-COPIES  median time of a Step of Null-v0 that is written down before
                      it is answered, beside one that is not (--durability none)
             journal-power  the same where every answer waits for the disk
             snapshot, fork  a copy of EI-100 over the wire in Python, beside the engine's own in
                      processor time (see engine/snapshot); a fork is deleted in the same time
             memory-N  bytes of one of N sessions of one copy of EI-100, beside its snapshot's
             step-p99-N  99th percentile of a Step of one after the other of these, beside one's
             recovery-N  seconds from the start of a server whose N such sessions were killed in
                      memory until it can be called, beside one without sessions
  fleet    Environment steps a second of 32 copies of TargetRate-EI-100 on two servers of one thread
           each, as one vector environment in Python. The client takes its share of the same cores.
             one-thread   beside one server of one thread with all the copies
             two-threads  beside one server of two threads with all of them
  devices  Electrodes, beside livn's own functions in processor time of one thread: 1000 cells under
           64 electrodes, one point a cell.
             encode     microseconds of a step: from a number an electrode to pulses, and to the
                        potential at every cell in each of their samples
             decode     of a step of 10 ms with 100 spikes: from spikes to counts of electrodes
             potentials  seconds for one simulated second of what electrodes hear of membrane
                        currents, 10,000 samples
             memory     bytes of the gains of 10,000 cells under 1,024 electrodes, beside the most
                        that livn's take on the way
  recording  Recordings of the spikes of 1000 cells at 10 Hz, beside h5py in processor time.
             write      seconds for a million spikes, all threads, beside h5py that writes such
                      rows to such chunks and flushes once a simulated second
             stepping   of these, what the thread that simulates spends
             hour-bytes  of a file with an hour's spikes, beside those of its rows
             served-step  microseconds of a step of 16 copies of EI-100 over the wire, of which
                        everything is recorded, beside a session that is not recorded
             slice      seconds to open a recording of 10^8 spikes (--quick: 10^6) and read one
                      simulated second out of its middle, beside h5py that looks at every tick
  generate Making a culture on a plane with `livnd generate` on one thread: seconds of drawing cells
           and connections, beside livn 2.0.0's generator without its writing of HDF5 (neuroh5 is on
           no registry), and most bytes in memory, here with the writing, beside livn's process.
             EI         2,600 cells on 1.6 x 3.2 mm, some 83,000 connections
             10000      10,000 cells on 4 x 4 mm, some 490,000
             million    with --long only: 1,000,000 cells on 40 x 40 mm, some 10^8 connections, on
                        all threads, beside livn's time for 10000 scaled by pairs of cells; it
                        takes some 12 GB of memory and 6 GB of disk
  tune     Evaluations a second of `livnd tune` with livn's culture target on one thread, beside
           livn's own on its native engine, as its tuner calls it, at the first of the same points.
           An evaluation simulates 3 s (--quick: 0.4 s) after 0.1 s of warm-up.
             front-EI-100  with --long only: how good a front is after twenty minutes of two cores
                        (--seconds), of `livnd tune` on two threads, and of pygmo's NSGA-II over
                        livn's culture target on its native engine with two processes; 41 minutes in
                        all. Both have culture-livn.yml's target, bounds and scales, a population of
                        40, the same first one, and the same numbers for NSGA-II; all points of
                        both are judged by livnd's evaluator. The hypervolume of the feasible ones,
                        as a part of the box between costs of 0 and those at the edges of livn's
                        constraints: of 15 Hz, of intervals that do not vary, of half of the cells
             front-EI-100-bands  the same run: features within livn's limits, of the best point
  sample   Samples an hour of `livnd sample`: 10,000 of a second each, on all cores, beside one
           process of livn's native engine, which runs the first ten of the same; for those of S1
           it takes half an hour.
  rl       Reinforcement learning, with Stable-Baselines3 on one thread; half an hour or more. What
           each program's rounds returned is told on standard error.
             PROGRAM-cost  what a step of Pendulum-v1 costs (its reward with a minus) after SAC has
                      learned it through a culture, beside SAC on the bare task with the same
                      budget: three deterministic episodes, one seed. s1-online is the benchmark
                      of livn's README: the time of a pulse into S1 says an action, that of the
                      first spike the torque. s1-pulse has its other encoding, a pulse's channel,
                      time and amplitude; s1-replay learns that from recorded rows of the published
                      schema alone; in ei-100-rate the rate of pulses says an action, and that of
                      spikes the torque
             PROGRAM-learned  the same, beside the cost before learning
             PROGRAM-seconds  of learning, with the steps that were taken for it
             s1-step  seconds for a step of s1-online, 1 s of S1, taken from steps of 50 ms, beside
                      CPU seconds on livn's native backend, which does the same
             LEARNER-N  environment steps a second while Stable-Baselines3's PPO and SAC and the
                      PPO in one file learn TargetRate on N copies, beside the same learner on one
                      GymnasiumEnv of livn's in its own process; -share: of the time, how much is
                      the environment's
             null-TOOL  median time of a step of Null-v0 over TCP in Python, beside a server or
                      actor of that tool that takes and gives as many numbers; of envpool, whose
                      CartPole runs in the caller's process, 64 copies each
             import, install  what importing livnd takes, and megabytes of it and all that it
                      needs, beside livn's

lines
{lines}"""


def groups(long: bool) -> dict[str, list[str]]:
    """Group -> names of its lines; with `long`, also of those that take minutes."""
    found: dict[str, list[str]] = {}
    lines = [name for module in MODULES for name in module.LINES]
    for name in [*lines, *LONG_LINES] if long else lines:
        found.setdefault(name.split("/")[0], []).append(name)
    return found


def parse_arguments() -> argparse.Namespace:
    """The command line; ends the process with a message if it is wrong."""
    everything = groups(long=True)
    lines = "\n".join(f"  {name}" for names in everything.values() for name in names)
    parser = argparse.ArgumentParser(
        prog="./bench --",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description=DESCRIPTION,
        epilog=EPILOG.format(
            lines=lines, environment=serve.ENVIRONMENT, step_ms=serve.STEP_DURATION_MS
        ),
    )
    parser.add_argument(
        "names",
        nargs="+",
        metavar="NAME",
        help="a group (engine, livn, point, serve, sessions, fleet, devices, recording, generate, "
        "tune, sample, rl) or the name of one line",
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="a few seconds to see that all works; the figures mean little",
    )
    parser.add_argument(
        "--long",
        action="store_true",
        help=f"also what takes minutes: {', '.join(LONG_LINES)}",
    )
    parser.add_argument(
        "--seconds",
        type=float,
        metavar="S",
        help=f"how long each side of tune/front-EI-100 searches (default: {front.SECONDS}, with "
        f"--quick {front.QUICK_SECONDS})",
    )
    parser.add_argument(
        "--isa",
        metavar="NAME",
        help="instruction set of the kernels, of those that this processor has: avx512, avx2, "
        "portable (default: the best; groups engine, livn and point)",
    )
    parser.add_argument(
        "--binaries",
        type=Path,
        default=ROOT / "bazel-bin",
        metavar="DIR",
        help="where Bazel puts what it builds (default: bazel-bin)",
    )
    arguments = parser.parse_args()
    arguments.wanted = set()
    known = groups(arguments.long)
    for name in arguments.names:
        if name in LONG_LINES and not arguments.long:
            parser.error(f"'{name}' takes minutes; give --long with it")
        found = known.get(name, [name])
        if name not in known and not any(name in lines for lines in known.values()):
            parser.error(
                f"unknown name '{name}'; takes a group ({', '.join(known)}) or the name of a "
                f"line:\n{lines}"
            )
        arguments.wanted.update(found)
    return arguments


def instruction_set(binaries: Path) -> str:
    """What the engine's kernels are compiled for."""
    with Worker([binaries / "tools/bench/engine_bench", "--cells", "1"]) as worker:
        return worker.ready["isa"]


def main() -> int:
    """Runs what was asked for; 0 if all of it could be measured."""
    arguments = parse_arguments()
    binaries = arguments.binaries.absolute()
    if arguments.isa:
        os.environ[ISA_VARIABLE] = arguments.isa
    warn_if_busy()
    try:
        report = Report(arguments.wanted, instruction_set(binaries))
        for module in (*MODULES, long_run):
            module.run(arguments.wanted, report, binaries, ROOT, arguments.quick)
        front.run(
            arguments.wanted, report, binaries, ROOT, arguments.quick, arguments.seconds
        )  # fmt: skip
    except (BenchError, FileNotFoundError) as error:
        say(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
