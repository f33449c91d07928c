"""`./test container`: the images are built and run as deploy/ says, and a few steps are trained.

No registry of images is asked: debian:12 is made from Debian's packages. Whatever the machine does
not allow, such as a container, is a skip that says so. Needs root.

LIVND_BAZEL_CACHE names a folder that keeps what Bazel has built from one run to the next.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.timeout(4 * 3600)  # the first time everything is compiled

BASE = "docker.io/library/debian:12"
CACHE = Path(os.environ.get("LIVND_BAZEL_CACHE", "/var/cache/livnd-bazel"))
# Limits that a container starts with must not be above the machine's.
RUN = [
    "podman", "--runtime", "runc", "run", "--rm", "--network", "none", "--read-only",
    "--cap-drop", "all", "--security-opt", "no-new-privileges",
    "--ulimit", "nofile=4096:4096", "--ulimit", "nproc=4096:4096",
]  # fmt: skip


def run(*command: object, limit_s: int = 300) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        list(map(str, command)),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=limit_s,
        cwd=ROOT,
    )


def done(*command: object, limit_s: int = 300) -> str:
    ran = run(*command, limit_s=limit_s)
    assert ran.returncode == 0, f"{command}\n{ran.stdout[-3000:]}\n{ran.stderr[-3000:]}"
    return ran.stdout


@pytest.fixture(scope="session")
def base(tmp_path_factory) -> str:
    """debian:12, as mmdebstrap makes it."""
    for tool in ("buildah", "mmdebstrap", "podman", "runc"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is missing: tools/setup.sh --container installs it")
    if os.getuid() != 0:
        pytest.skip("building a base from packages takes root")
    if run("podman", "image", "exists", BASE).returncode != 0:
        folder = tmp_path_factory.mktemp("base")
        # Whom this machine trusts the base trusts too: there may be a proxy in between.
        own = "/usr/local/share/ca-certificates"
        made = run(
            "mmdebstrap", "--variant=minbase", "--include=ca-certificates",
            f"--customize-hook=if [ -d {own} ]; then cp -r {own} $1/usr/local/share/; fi",
            "--customize-hook=chroot $1 update-ca-certificates", "bookworm", folder / "base.tar",
            limit_s=1800,
        )  # fmt: skip
        if made.returncode != 0:
            pytest.skip(f"mmdebstrap cannot make a base here: {made.stderr[-500:]}")
        done("podman", "import", folder / "base.tar", BASE)
    return BASE


@pytest.fixture(scope="session")
def containers(base) -> None:
    """That a container can run at all."""
    tried = run(*RUN, base, "true")
    if tried.returncode != 0:
        pytest.skip(f"this machine runs no containers: {tried.stderr.strip()[-500:]}")


def build(target: str) -> str:
    CACHE.mkdir(parents=True, exist_ok=True)
    name = f"livnd-test-{target}"
    done(
        "buildah", "build", "--layers", "--isolation", "chroot", "--format", "docker",
        "--pull-never",
        "--volume", f"{CACHE}:/bazel-cache", "--build-arg", "BAZEL_FLAGS=--disk_cache=/bazel-cache",
        "--ignorefile", "deploy/Dockerfile.dockerignore",
        "-f", "deploy/Dockerfile", "--target", target, "-t", name, ROOT,
        limit_s=3 * 3600,
    )  # fmt: skip
    return f"localhost/{name}"


@pytest.fixture(scope="session")
def server_image(base) -> str:
    return build("server")


@pytest.fixture(scope="session")
def learner_image(base) -> str:
    return build("learner")


def image_config(image: str) -> dict:
    return json.loads(done("podman", "image", "inspect", image))[0]


@contextlib.contextmanager
def serving(image: str, folder: Path) -> Iterator[str]:
    """A container of the server; its socket and its state are in the folder."""
    for name in ("socket", "state"):
        (folder / name).mkdir(exist_ok=True)
        os.chown(folder / name, 10001, 10001)
    name = f"livnd-test-{os.getpid()}"
    done(
        *RUN, "--detach", "--name", name, "--tmpfs", "/tmp", "--stop-timeout", "35",
        "-v", f"{folder}/socket:/run/livnd", "-v", f"{folder}/state:/var/lib/livnd", image,
    )  # fmt: skip
    try:
        give_up = time.monotonic() + 120
        while run("podman", "healthcheck", "run", name).returncode != 0:
            assert time.monotonic() < give_up, run("podman", "logs", name).stderr
            time.sleep(0.5)
        yield name
    finally:
        run("podman", "rm", "--force", "--time", "0", name)


def test_the_image_of_the_server_is_small_and_nobodys(server_image):
    config = image_config(server_image)
    assert config["Config"]["User"] == "10001:10001"
    assert set(config["Config"]["Volumes"]) == {"/var/lib/livnd", "/run/livnd"}
    assert config["Size"] < 500e6  # the compiler stays behind
    assert config["Config"]["Entrypoint"] == ["livnd"]


def test_a_learner_trains_on_a_server(containers, server_image, learner_image, tmp_path):
    with serving(server_image, tmp_path) as name:
        results = tmp_path / "results"
        results.mkdir()
        os.chown(results, 10001, 10001)
        told = done(
            *RUN, "--tmpfs", "/tmp", "-v", f"{tmp_path}/socket:/run/livnd",
            "-v", f"{results}:/results", learner_image,
            "/usr/share/livnd/python/examples/demo.py",
            "--address", "unix:/run/livnd/livnd.sock", "--budget", "12", "--population", "4",
            "--episodes", "1",
            limit_s=900,
        )  # fmt: skip
        assert told.splitlines()[-1].startswith("demo: agent ")
        assert (results / "demo.png").stat().st_size > 1000
        # It drains in order when it is told to.
        started = time.monotonic()
        done("podman", "stop", name)
        assert time.monotonic() - started < 35


def test_the_server_writes_nothing_but_its_state(containers, server_image, tmp_path):
    with serving(server_image, tmp_path) as name:
        assert run("podman", "exec", name, "touch", "/usr/share/livnd/x").returncode != 0
        assert (tmp_path / "state/endpoint.json").exists()
        assert done("podman", "exec", name, "id", "-u").strip() == "10001"
        # Another server of the same state is refused: there is one, and it has it.
        other = run(
            *RUN, "--tmpfs", "/tmp", "-v", f"{tmp_path}/state:/var/lib/livnd", server_image,
            "serve", "--systems", "/usr/share/livnd/systems", "--listen", "unix:/run/livnd/other",
        )  # fmt: skip
        assert other.returncode == 1
        assert run("podman", "healthcheck", "run", name).returncode == 0
