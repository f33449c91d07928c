"""The layer rules of the root BUILD file hold, and breaking one fails the build.

Three guards, from strongest to broadest:
visibility refuses a forbidden direct dependency (proved here by trying some),
a query over all dependencies finds what leaks through a permitted one,
and a look at the #include lines finds what no build rule can see: system headers.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.skipif(shutil.which("bazel") is None, reason="bazel is not installed")

ABSL = {"absl"}
NUMERIC = {"eigen", "highway", "random123"}
FILES = {"crypto", "hdf5", "nlohmann_json", "yaml_cpp", "zlib"}
THREADS = {"absl_synchronization", "absl_time"}
SEARCH = {"pagmo"}
WIRE = {"protobuf", "grpc++", "ssl"}
TESTING = {"gtest", "gtest_main", "benchmark"}

# Room -> (rooms it may reach, @debian libraries it may reach), directly or not.
MAY_REACH = {
    "base": ({"base"}, ABSL),
    "sim": ({"sim", "base"}, ABSL | NUMERIC),
    "io": ({"io", "sim", "base"}, ABSL | NUMERIC | FILES | THREADS),
    "env": ({"env", "io", "sim", "base"}, ABSL | NUMERIC | FILES | THREADS),
    "lab": (
        {"lab", "env", "io", "sim", "base"},
        ABSL | NUMERIC | FILES | THREADS | SEARCH,
    ),
    "proto": ({"proto", "third_party"}, ABSL | THREADS | WIRE),
    "server": (
        {"server", "lab", "env", "io", "sim", "base", "proto", "third_party", "clients"},
        ABSL
        | NUMERIC
        | FILES
        | THREADS
        | SEARCH
        | WIRE
        | {"absl_flags", "prometheus_cpp", "xxhash"},
    ),
    "clients": ({"clients", "proto", "third_party"}, ABSL | THREADS | WIRE),
}

# Libraries that env reaches through io but must not use itself.
ONLY_THROUGH_IO = FILES | THREADS

# Packages of files that any test may read.
DATA = ("systems", "tests/data")

# A room, and what a package in it must not be allowed to depend on: a library of another room, or
# one of the system's.
VIOLATIONS = [
    ("base", "sim"),
    ("base", "@debian//:hdf5"),
    ("base", "@debian//:grpc++"),
    ("sim", "io"),
    ("sim", "env"),
    ("sim", "server"),
    ("sim", "proto"),
    ("sim", "clients"),
    ("sim", "@debian//:hdf5"),
    ("sim", "@debian//:nlohmann_json"),
    ("sim", "@debian//:yaml_cpp"),
    ("sim", "@debian//:pagmo"),
    ("io", "@debian//:pagmo"),
    ("env", "@debian//:pagmo"),
    ("clients", "@debian//:pagmo"),
    ("sim", "@debian//:protobuf"),
    ("sim", "@debian//:grpc++"),
    ("sim", "@debian//:ssl"),
    ("sim", "@debian//:absl_flags"),
    ("sim", "@debian//:absl_synchronization"),
    ("io", "env"),
    ("io", "server"),
    ("io", "proto"),
    ("io", "@debian//:grpc++"),
    ("io", "@debian//:ssl"),
    ("io", "@debian//:prometheus_cpp"),
    ("io", "@debian//:xxhash"),
    ("env", "server"),
    ("env", "proto"),
    ("env", "clients"),
    ("env", "@debian//:hdf5"),
    ("env", "@debian//:yaml_cpp"),
    ("env", "@debian//:protobuf"),
    ("env", "@debian//:absl_flags"),
    ("env", "@debian//:absl_time"),
    ("sim", "lab"),
    ("io", "lab"),
    ("env", "lab"),
    ("lab", "server"),
    ("lab", "proto"),
    ("lab", "clients"),
    ("lab", "@debian//:grpc++"),
    ("lab", "@debian//:absl_flags"),
    ("lab", "@debian//:prometheus_cpp"),
    ("server", "clients"),
    ("proto", "sim"),
    ("clients", "sim"),
    ("clients", "io"),
    ("clients", "env"),
    ("clients", "lab"),
    ("clients", "server"),
    ("clients", "base"),
    ("clients", "@debian//:hdf5"),
    ("clients", "@debian//:prometheus_cpp"),
    ("clients", "@debian//:xxhash"),
]


def bazel(command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bazel", command, "--noshow_progress", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def query(expression: str) -> list[str]:
    done = bazel("query", expression)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def has_packages(room: str) -> bool:
    return any((ROOT / room).rglob("BUILD"))


def skip_if_empty(room: str) -> None:
    if not has_packages(room):
        pytest.skip(f"no package in {room}/ yet")


def of_room(room: str) -> str:
    """A query for every target of a room, without the tests that may cross rooms."""
    crossing = ROOT / "clients/cpp/tests"
    if room == "clients" and any(crossing.rglob("BUILD")):
        return "(//clients/... except //clients/cpp/tests/...)"
    return f"//{room}/..."


@pytest.mark.parametrize("room", MAY_REACH)
def test_a_room_reaches_nothing_it_should_not(room: str) -> None:
    skip_if_empty(room)
    rooms, libraries = MAY_REACH[room]
    wrong = []
    for label in query(f"deps({of_room(room)})"):
        if label.startswith("@debian//:"):
            name = label.removeprefix("@debian//:")
            if "/" not in name and name not in libraries | TESTING:
                wrong.append(label)
        elif label.startswith("//"):
            package = label.removeprefix("//").split(":")[0]
            # tools/ holds build rules, and labels of the root are package groups.
            top = package.split("/")[0]
            if top not in rooms | {"tools", ""} and not package.startswith(DATA):
                wrong.append(label)
    assert not wrong, f"{room} reaches {wrong}; bazel query 'somepath(//{room}/..., {wrong[0]})'"


def test_only_commands_of_the_server_call_one() -> None:
    """`livnd sessions` is a client like any other; what serves knows none."""
    inner = "(//server/... except //server/commands/... except //server:*)"
    assert not [label for label in query(f"deps({inner})") if label.startswith("//clients")]


def test_env_uses_files_through_io_only() -> None:
    skip_if_empty("env")
    direct = set(query("deps(//env/..., 1)"))
    wrong = direct & {f"@debian//:{name}" for name in ONLY_THROUGH_IO}
    assert not wrong, f"env depends directly on {wrong}"


def analyse(extra: Path, packages: dict[str, list[str]]) -> list[set[str]]:
    """Which dependencies bazel refuses to each package, for lack of visibility.

    Args:
      extra: an empty folder outside the checkout; the packages are made there.
      packages: package -> dependencies to try in it, one target each.

    Returns:
      For each package, in order, the dependencies that were refused.
    """
    targets = {}
    for package, dependencies in packages.items():
        (extra / package).mkdir(parents=True)
        rules = []
        for index, dependency in enumerate(dependencies):
            rules.append(f'cc_library(name = "{index}", testonly = 1, deps = ["{dependency}"])')
            targets[f"//{package}:{index}"] = (package, dependency)
        (extra / package / "BUILD").write_text("\n".join(rules) + "\n")
    done = bazel(
        "build", "--nobuild", "--keep_going", f"--package_path=%workspace%:{extra}", *targets
    )
    # "ERROR: ...: target 'WANTED' is not visible from target 'ASKING'. Check ..."
    asking = re.findall(r"is not visible from target '([^']+)'", done.stderr)
    refused = {targets[label] for label in asking}
    return [{d for p, d in refused if p == package} for package in packages]


@pytest.fixture(scope="module")
def open_library(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Room -> a library that the room opens to others.

    A private library would be refused to anybody, which would prove nothing about the rooms.
    """
    candidates = {
        f"tests/layer_control_{room}": [
            label
            for label in query(f'kind("cc_library rule", {of_room(room)})')
            if "test" not in label
        ]
        for room in MAY_REACH
        if has_packages(room)
    }
    refused = analyse(tmp_path_factory.mktemp("control"), candidates)
    found = {}
    for (package, labels), closed in zip(candidates.items(), refused, strict=True):
        for label in labels:
            if label not in closed:
                found[package.removeprefix("tests/layer_control_")] = label
                break
    return found


@pytest.fixture(scope="module")
def refused(
    open_library: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> dict[tuple[str, str], bool]:
    """Whether bazel refuses each violation that can be tried now."""
    packages = {}
    tried = {}
    for room, wanted in VIOLATIONS:
        dependency = wanted if wanted.startswith("@") else open_library.get(wanted)
        if dependency is not None:
            package = f"{room}/layer_violation_{re.sub('[^a-z0-9]', '_', wanted)}"
            packages[package] = [dependency]
            tried[room, wanted] = package
    closed = analyse(tmp_path_factory.mktemp("violations"), packages)
    answers = dict(zip(packages, closed, strict=True))
    return {key: bool(answers[package]) for key, package in tried.items()}


@pytest.mark.parametrize(("room", "wanted"), VIOLATIONS, ids=lambda value: str(value))
def test_a_violation_does_not_build(
    refused: dict[tuple[str, str], bool], room: str, wanted: str
) -> None:
    if (room, wanted) not in refused:
        pytest.skip(f"no library in {wanted}/ yet")
    assert refused[room, wanted]


def test_every_room_opens_something(open_library: dict[str, str]) -> None:
    rooms = {
        room
        for room in MAY_REACH
        if has_packages(room) and query(f'kind("cc_library rule", {of_room(room)})')
    }
    assert rooms <= set(open_library)


def sources(*folders: str) -> list[Path]:
    return sorted(
        path
        for folder in folders
        for pattern in ("*.h", "*.cc", "*.inc")
        for path in (ROOT / folder).rglob(pattern)
        if (ROOT / folder).is_dir()
    )


def lines_matching(paths: list[Path], pattern: str) -> list[str]:
    expression = re.compile(pattern)
    return [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in paths
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
        if expression.search(line.split("//")[0])
    ]


def test_only_server_clients_and_proto_know_the_wire() -> None:
    wrong = lines_matching(
        sources("base", "sim", "io", "env", "lab"),
        r'#\s*include\s*[<"](grpc|grpcpp|google/protobuf|google/rpc|livnd/v1)/|\.pb\.h[>"]',
    )
    assert not wrong, "\n".join(wrong)


def test_base_sim_and_env_have_no_thread_clock_socket_file_or_flag() -> None:
    headers = (
        "thread|mutex|shared_mutex|condition_variable|future|semaphore|stop_token|chrono|ctime|time.h"
        "|fstream|filesystem|iostream|unistd.h|fcntl.h|pthread.h|sched.h|poll.h|signal.h"
        r"|sys/.*|netinet/.*|arpa/.*|netdb.h"
    )
    abseil = r"absl/(flags|synchronization)/.*|absl/time/clock\.h"
    wrong = lines_matching(
        [
            path
            for path in sources("base", "sim", "env")
            if not path.stem.endswith(("_test", "_benchmark", "_bench"))
            and path.parent.name != "testing"
        ],
        rf'#\s*include\s*(<({headers})>|"({abseil})")'
        r"|\b(fopen|getenv|setenv|std::thread|pthread_create|clock_gettime|gettimeofday)\s*\(",
    )
    assert not wrong, "\n".join(wrong)


def test_sim_and_env_use_no_fast_math_or_machine_flags() -> None:
    rooms = ("base", "sim", "io", "env", "lab")
    files = [path for room in rooms for path in (ROOT / room).rglob("BUILD")]
    wrong = lines_matching(
        [*files, ROOT / ".bazelrc"], r"-ffast-math|-Ofast|-march=|-mtune=|-ffp-contract=fast"
    )
    assert not wrong, "\n".join(wrong)
