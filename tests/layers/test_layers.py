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
FILES = {"crypto", "hdf5", "nlohmann_json", "zlib"}
THREADS = {"absl_synchronization", "absl_time"}
WIRE = {"protobuf", "grpc++", "grpc++_reflection"}
TESTING = {"gtest", "gtest_main", "benchmark"}

# Room -> (rooms it may reach, @debian libraries it may reach), directly or not.
MAY_REACH = {
    "sim": ({"sim"}, ABSL | NUMERIC),
    "io": ({"io", "sim"}, ABSL | NUMERIC | FILES | THREADS),
    "env": ({"env", "io", "sim"}, ABSL | NUMERIC | FILES | THREADS),
    "proto": ({"proto", "third_party"}, ABSL | THREADS | WIRE),
    "server": (
        {"server", "env", "io", "sim", "proto", "third_party"},
        ABSL | NUMERIC | FILES | THREADS | WIRE | {"absl_flags"},
    ),
    "clients": ({"clients", "proto", "third_party"}, ABSL | THREADS | WIRE),
}

# Libraries that env reaches through io but must not use itself.
ONLY_THROUGH_IO = FILES | THREADS

# A package that would break a rule, and what it would depend on. Real targets are looked up in the
# room named after the arrow; @debian libraries are always there.
VIOLATIONS = [
    ("sim", "io"),
    ("sim", "env"),
    ("sim", "server"),
    ("sim", "proto"),
    ("sim", "clients"),
    ("sim", "@debian//:hdf5"),
    ("sim", "@debian//:nlohmann_json"),
    ("sim", "@debian//:protobuf"),
    ("sim", "@debian//:grpc++"),
    ("sim", "@debian//:absl_flags"),
    ("sim", "@debian//:absl_synchronization"),
    ("io", "env"),
    ("io", "server"),
    ("io", "proto"),
    ("io", "@debian//:grpc++"),
    ("env", "server"),
    ("env", "proto"),
    ("env", "clients"),
    ("env", "@debian//:hdf5"),
    ("env", "@debian//:protobuf"),
    ("env", "@debian//:absl_flags"),
    ("env", "@debian//:absl_time"),
    ("server", "clients"),
    ("proto", "sim"),
    ("clients", "sim"),
    ("clients", "io"),
    ("clients", "env"),
    ("clients", "server"),
    ("clients", "@debian//:hdf5"),
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
            top = label.removeprefix("//").split(":")[0].split("/")[0]
            # tools/ holds build rules, and labels of the root are package groups.
            if top not in rooms | {"tools", ""}:
                wrong.append(label)
    assert not wrong, f"{room} reaches {wrong}; bazel query 'somepath(//{room}/..., {wrong[0]})'"


def test_env_uses_files_through_io_only() -> None:
    skip_if_empty("env")
    direct = set(query("deps(//env/..., 1)"))
    wrong = direct & {f"@debian//:{name}" for name in ONLY_THROUGH_IO}
    assert not wrong, f"env depends directly on {wrong}"


@pytest.fixture(scope="module")
def refused(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], str]:
    """What bazel says about each violation; the packages live outside the checkout."""
    extra = tmp_path_factory.mktemp("violations")
    targets = {}
    for index, (room, wanted) in enumerate(VIOLATIONS):
        dependency = wanted
        if not wanted.startswith("@"):
            if not has_packages(wanted):
                continue
            rules = [
                label
                for label in query(f'kind("cc_library|cc_binary|genrule", {of_room(wanted)})')
                if "/tests" not in label and not label.endswith("_gen")
            ]
            if not rules:
                continue
            dependency = rules[0]
        folder = extra / room / f"layer_violation_{index}"
        folder.mkdir(parents=True)
        (folder / "BUILD").write_text(
            f'cc_library(name = "violation", testonly = 1, deps = ["{dependency}"])\n'
        )
        targets[room, wanted] = f"//{room}/layer_violation_{index}:violation"
    done = bazel(
        "build",
        "--nobuild",
        "--keep_going",
        f"--package_path=%workspace%:{extra}",
        *targets.values(),
    )
    messages = done.stderr.splitlines()
    return {
        key: "\n".join(m for m in messages if f"'{target}'" in m) for key, target in targets.items()
    }


@pytest.mark.parametrize(("room", "wanted"), VIOLATIONS, ids=lambda value: str(value))
def test_a_violation_does_not_build(
    refused: dict[tuple[str, str], str], room: str, wanted: str
) -> None:
    if (room, wanted) not in refused:
        pytest.skip(f"no library in {wanted}/ yet")
    assert "is not visible from" in refused[room, wanted]


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
        sources("sim", "io", "env"),
        r'#\s*include\s*[<"](grpc|grpcpp|google/protobuf|google/rpc|livnd/v1)/|\.pb\.h[>"]',
    )
    assert not wrong, "\n".join(wrong)


def test_sim_and_env_have_no_thread_clock_socket_file_or_flag() -> None:
    headers = (
        "thread|mutex|shared_mutex|condition_variable|future|semaphore|stop_token|chrono|ctime|time.h"
        "|fstream|filesystem|iostream|unistd.h|fcntl.h|pthread.h|sched.h|poll.h|signal.h"
        r"|sys/.*|netinet/.*|arpa/.*|netdb.h"
    )
    abseil = r"absl/(flags|synchronization)/.*|absl/time/clock\.h"
    wrong = lines_matching(
        [
            path
            for path in sources("sim", "env")
            if not path.stem.endswith(("_test", "_benchmark", "_bench"))
        ],
        rf'#\s*include\s*(<({headers})>|"({abseil})")'
        r"|\b(fopen|getenv|setenv|std::thread|pthread_create|clock_gettime|gettimeofday)\s*\(",
    )
    assert not wrong, "\n".join(wrong)


def test_sim_and_env_use_no_fast_math_or_machine_flags() -> None:
    files = [path for room in ("sim", "io", "env") for path in (ROOT / room).rglob("BUILD")]
    wrong = lines_matching(
        [*files, ROOT / ".bazelrc"], r"-ffast-math|-Ofast|-march=|-mtune=|-ffp-contract=fast"
    )
    assert not wrong, "\n".join(wrong)
