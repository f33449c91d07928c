"""The C++ client for users outside of Bazel: CMake installs it, CMake and pkg-config find it."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
from project_files import programs_of
from serving import Serve

ROOT = Path(__file__).resolve().parents[2]
CLIENT = ROOT / "clients" / "cpp"
USER = """
cmake_minimum_required(VERSION 3.20)
project(agent LANGUAGES CXX)
find_package(livnd_client 0.1 REQUIRED)
add_executable(agent agent.cc)
target_link_libraries(agent livnd::client)
"""


def run(*command: str | Path, cwd: Path | None = None, **variables: str) -> str:
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    return done.stdout


@pytest.fixture(scope="module")
def prefix(tmp_path_factory) -> Path:
    """Where the library is installed; its build folder is gone by then."""
    folder = tmp_path_factory.mktemp("cmake")
    build, prefix = folder / "build", folder / "prefix"
    options = ["-DCMAKE_BUILD_TYPE=Debug", "-DCMAKE_CXX_FLAGS_DEBUG=-O0"]
    # What sees gRPC's headers is compiled as one file, which takes a fifth of the time.
    options += ["-DCMAKE_UNITY_BUILD=ON", "-DCMAKE_UNITY_BUILD_BATCH_SIZE=0"]
    run("cmake", "-S", CLIENT, "-B", build, *options)
    run("cmake", "--build", build, "-j", str(min(4, len(os.sched_getaffinity(0)))))
    run("cmake", "--install", build, "--prefix", prefix)
    build.rename(folder / "elsewhere")
    return prefix


def test_cmake_finds_it(prefix, tmp_path):
    (tmp_path / "CMakeLists.txt").write_text(USER)
    [program] = programs_of("clients/cpp/README.md", "cpp")
    (tmp_path / "agent.cc").write_text(program)
    run("cmake", "-B", "build", f"-DCMAKE_PREFIX_PATH={prefix}", cwd=tmp_path)
    run("cmake", "--build", "build", cwd=tmp_path)
    with Serve() as server:
        said = run(tmp_path / "build" / "agent", server.address)
    assert re.fullmatch(r"return -\d+\.\d{3}\n", said), said


def test_pkg_config_finds_it_and_its_user_learns(prefix, tmp_path):
    [found] = prefix.rglob("livnd_client.pc")
    flags = run(
        *("pkg-config", "--cflags", "--libs", "livnd_client"), PKG_CONFIG_PATH=str(found.parent)
    )
    source = CLIENT / "examples" / "evolution_strategy.cc"
    run("g++", "-O0", source, "-o", tmp_path / "agent", *flags.split())
    with Serve() as server:
        said = run(
            tmp_path / "agent", *("--address", server.address, "--generations", "6", "--pairs", "8")
        )
    returns = re.search(r"return on new episodes: (\S+) at first, (\S+) now", said)
    before, after = (float(number) for number in returns.groups())
    assert after > before, said


def test_every_file_is_installed(prefix):
    included = {
        path.relative_to(prefix / "include" / "livnd_client").as_posix()
        for path in (prefix / "include").rglob("*.h")
    }
    for header in CLIENT.glob("*.h"):
        assert f"clients/cpp/{header.name}" in included
    for proto in (ROOT / "proto" / "livnd" / "v1").glob("*.proto"):
        assert f"livnd/v1/{proto.stem}.pb.h" in included
