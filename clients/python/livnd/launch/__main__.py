"""python -m livnd.launch local|mpi|slurm|ray -- COMMAND: servers for as long as a command runs."""

from __future__ import annotations

import argparse
import shlex
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from livnd import local_server
from livnd.arguments import above_0, whole
from livnd.errors import LivndError
from livnd.launch.folder import LaunchFolder
from livnd.launch.guarded_server import cores, flags_of
from livnd.launch.kinds.local import LocalWorkers
from livnd.launch.kinds.mpi import MpiWorkers
from livnd.launch.kinds.ray import RayWorkers
from livnd.launch.kinds.slurm import ArrayWorkers, StepWorkers, is_in_allocation, num_nodes
from livnd.launch.run import Ended, Launch
from livnd.launch.workers import Workers, settings_of, this_host

_DESCRIPTION = """\
Starts a server per worker, waits until all of them serve, runs COMMAND with LIVND_ADDRESSES_FILE
(and LIVND_ADDRESSES) in its environment, and ends the servers, whatever happens. Its exit status is
COMMAND's. A server or worker that is lost is started again, and has its sessions back.

  local  servers on this machine
  mpi    ranks of mpirun
  slurm  a job array, one task a server; or, inside an allocation, a step on each of its nodes
  ray    actors that own servers, in a cluster of Ray's or one of this machine's own"""

_EPILOG = """\
for example:
  python -m livnd.launch local --workers 2 -- python ppo.py
  python -m livnd.launch mpi --workers 8 --mpirun "mpirun --hostfile hosts" -- python ppo.py
  python -m livnd.launch slurm --workers 8 --slurm "--partition=cpu --time=60" -- python ppo.py
  python -m livnd.launch ray --workers 8 --ray-address auto -- python ppo.py"""

_MAX_WORKERS = 4096


def main(arguments: Sequence[str] | None = None) -> int:
    """Does what the command line asks for; returns the exit status."""
    parser = _parser()
    given = list(sys.argv[1:] if arguments is None else arguments)
    command: list[str] = []
    if "--" in given:
        at = given.index("--")
        given, command = given[:at], given[at + 1 :]
    args = parser.parse_args(given)
    if not command:
        parser.error("there is no COMMAND: it stands behind --")
    say = (lambda text: None) if args.quiet else _say
    try:
        return _launch(args, command, say)
    except Ended as error:
        print(f"livnd.launch: {error}", file=sys.stderr)
        return error.status
    except (LivndError, OSError) as error:
        print(f"livnd.launch: {error}", file=sys.stderr)
        return 1


def _say(text: str) -> None:
    print(f"livnd.launch: {text}", file=sys.stderr, flush=True)


def _launch(args: argparse.Namespace, command: Sequence[str], say: Callable[[str], None]) -> int:
    folder, is_own = _folder(args)
    launch_folder = LaunchFolder(folder)
    try:
        launch_folder.open()
        workers = _workers(args, launch_folder, say)
        try:
            is_local = args.kind == "local"
            launch = Launch(launch_folder, workers, not is_local, args.start_timeout, say)
            return launch.run(command)
        finally:
            workers.stop()
    finally:
        if is_own:
            shutil.rmtree(folder, ignore_errors=True)


def _folder(args: argparse.Namespace) -> tuple[Path, bool]:
    """The launch's, and whether it goes with it."""
    if args.folder is not None:
        return Path(args.folder), False
    # Of other machines' workers it has to be a folder that they see, too.
    root = None if args.kind == "local" else Path.cwd()
    return Path(tempfile.mkdtemp(prefix="livnd-launch-", dir=root)), True


def _workers(args: argparse.Namespace, folder: LaunchFolder, say: Callable[[str], None]) -> Workers:
    systems = Path(args.systems).absolute() if args.systems else local_server.find_systems()
    if args.kind == "local":
        threads = args.threads or max(1, cores() // args.workers)
        return LocalWorkers(folder, args.workers, flags_of(str(systems), threads, args.config), say)
    folder.prepare(settings_of(systems, args.threads, args.config, args.host or this_host()))
    if args.kind == "mpi":
        return MpiWorkers(folder, args.workers, shlex.split(args.mpirun), say)
    if args.kind == "ray":
        its_cores = float(args.threads or 1)
        return RayWorkers(folder, args.workers, args.ray_address, its_cores, say)
    if is_in_allocation():
        num = args.workers or num_nodes()
        return StepWorkers(folder, num, shlex.split(args.slurm), say)
    return ArrayWorkers(folder, args.workers or 1, shlex.split(args.slurm), say)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m livnd.launch",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    kinds = parser.add_subparsers(dest="kind", required=True, metavar="local|mpi|slurm|ray")
    usage = "python -m livnd.launch %s [OPTION...] -- COMMAND [ARGUMENT...]"
    for kind, what in (
        ("local", "servers on this machine"),
        ("mpi", "ranks of mpirun"),
        ("slurm", "a job array, or steps of an allocation"),
        ("ray", "actors that own servers"),
    ):
        one = kinds.add_parser(kind, help=what, usage=usage % kind)
        _add_common(one, kind)
        if kind == "mpi":
            one.add_argument(
                "--mpirun", default="mpirun", metavar="COMMAND",
                help="with its options but -n (default: mpirun)",
            )  # fmt: skip
        if kind == "slurm":
            one.add_argument(
                "--slurm", default="", metavar="OPTIONS",
                help='more of sbatch\'s, or of srun\'s in an allocation: "--partition=cpu"',
            )  # fmt: skip
        if kind == "ray":
            one.add_argument(
                "--ray-address", metavar="ADDRESS",
                help="of a cluster, or auto (default: one on this machine, for this launch)",
            )  # fmt: skip
    return parser


def _add_common(one: argparse.ArgumentParser, kind: str) -> None:
    default = {"local": 1, "mpi": 1, "slurm": None, "ray": 1}[kind]
    nodes = "1, or the allocation's nodes" if kind == "slurm" else "1"
    one.add_argument(
        "--workers", type=whole(1, _MAX_WORKERS), default=default, metavar="N",
        help=f"servers (default: {nodes})",
    )  # fmt: skip
    divided = "the cores, divided" if kind in ("local", "mpi") else "as many as a worker may use"
    one.add_argument(
        "--threads", type=whole(1, local_server.MAX_THREADS), metavar="N",
        help=f"of each server that simulate (default: {divided})",
    )  # fmt: skip
    one.add_argument(
        "--systems", metavar="DIR", help="what is served (default: LIVND_SYSTEMS, or the package's)"
    )
    one.add_argument("--config", metavar="FILE", help="more settings, as livnd serve --config")
    shared = "" if kind == "local" else ", which all machines see under the same name"
    one.add_argument(
        "--folder", metavar="DIR",
        help=f"for addresses, states and logs{shared}; it stays, and a launch in the same folder "
        "goes on with the sessions in it (default: a temporary one)",
    )  # fmt: skip
    one.add_argument(
        "--start-timeout", type=above_0("number of seconds"), default=120.0, metavar="S",
        help="how long all servers may take until they serve (default: 120)",
    )  # fmt: skip
    if kind != "local":
        one.add_argument(
            "--host", metavar="IPV4",
            help="of this machine, as workers see it; servers listen where they can be called from "
            "there (default: found out)",
        )  # fmt: skip
    one.add_argument("--quiet", action="store_true", help="says nothing but errors")


if __name__ == "__main__":
    sys.exit(main())
