"""`livnd serve --config FILE`: the flags' names, the flags win, and what is wrong is told."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import livnd
import pytest
from certificates import Authority
from serving import LIVND, SYSTEMS, Serve

TOKEN = "0123456789abcdef0123456789abcdef"


def serve(config: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    """Of a server that ends by itself, for it refuses its settings."""
    return subprocess.run(
        [str(LIVND), "serve", "--config", str(config), *flags],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )


def flags_of_help() -> set[str]:
    text = subprocess.run([str(LIVND), "serve", "--help"], capture_output=True, text=True).stdout
    return set(re.findall(r"^  --([\w-]+)", text, flags=re.M))


def everything(folder: Path) -> dict[str, object]:
    authority = Authority(folder)
    shown = authority.sign()
    tokens = folder / "tokens"
    tokens.write_text(f"{TOKEN} lab\n")
    tokens.chmod(0o600)
    admin_tokens = folder / "admin-tokens"
    admin_tokens.write_text(f"{TOKEN[::-1]} operator\n")
    admin_tokens.chmod(0o600)
    quotas = folder / "quotas.yaml"
    quotas.write_text("default: {max_sessions: 3}\n")
    return {
        "listen": "127.0.0.1:0",
        "metrics-listen": "127.0.0.1:0",
        "state-dir": f"{folder}/state",
        "systems": SYSTEMS,
        "systems-period": "1s",
        "tls-cert": shown.cert,
        "tls-key": shown.key,
        "tls-client-ca": authority.cert,
        "tokens": tokens,
        "admin-tokens": admin_tokens,
        "quotas": quotas,
        "threads": 1,
        "lease": "30s",
        "session-retention": "90s",
        "durability": "process",
        "drain-timeout": 0,
        "max-sessions": 3,
        "max-envs": 2,
        "max-waiting-calls": 100,
        "max-recordings": 4,
        "max-recording-bytes": "100M",
        "max-tenant-recording-bytes": "200M",
        "memory": "300M",
        "pace": "real",
        "log-format": "json",
        "log-level": "warning",
        "exit-with-stdin": "true",
        "allow-insecure-remote": "false",
        "bench-environments": "true",
    }


def write(folder: Path, settings: dict[str, object]) -> Path:
    path = folder / "livnd.yaml"
    path.write_text("".join(f"{name}: {value}\n" for name, value in settings.items()))
    return path


def test_every_flag_may_stand_in_the_file(tmp_path):
    settings = everything(tmp_path)
    assert set(settings) == flags_of_help() - {"config"}
    command = [str(LIVND), "serve", "--config", str(write(tmp_path, settings))]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as server:
        try:
            ready = server.stdout.readline()
            assert b'"127.0.0.1:' in ready
            assert b"Null-v0" in ready
            assert b'"metrics":"http://127.0.0.1:' in ready
            address = (tmp_path / "state/endpoint.json").read_text().split('"address":"')[1]
            show = {name: str(settings[name.replace("_", "-")]) for name in ("tls_cert", "tls_key")}
            show |= {"tls_ca": str(settings["tls-client-ca"]), "token": TOKEN}
            with livnd.connect(address.split('"')[0], **show) as client:
                info = client.server_info()
                assert info.max_sessions == 3
                assert info.max_envs_per_session == 2
                assert (info.session_lease_s, info.session_retention_s) == (30, 90)
                assert info.num_workers == 1
            server.stdin.close()  # exit-with-stdin
            assert server.wait(60) == 0
        finally:
            server.kill()


def test_flags_win(tmp_path):
    settings = {"listen": "nonsense", "max-sessions": 3, "max-envs": 2, "exit-with-stdin": "true"}
    config = write(tmp_path, settings)
    with (
        Serve("--config", str(config), "--max-envs", "7", "--exit-with-stdin=false") as server,
        livnd.connect(server.address) as client,
    ):
        assert client.server_info().max_sessions == 3
        assert client.server_info().max_envs_per_session == 7
        server.process.stdin.close()
        assert client.server_info().max_sessions == 3
        assert server.terminate() == 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("listen: unix:s\nmax-session: 3\n", [":2: ", "'max-session'", "max-sessions (the near"]),
        ("max-sessions: many\n", [":1: max-sessions is 'many'; accepted: 1 .. 1000000"]),
        ("threads: [1]\n", [":1: threads is a sequence; accepted: 1 .. 1024"]),
        ("lease: soon\n", [":1: lease is 'soon'; accepted: seconds, 90s"]),
        ("log-format: xml\n", [":1: log-format is 'xml'; accepted: text (text|json)"]),
        ("exit-with-stdin: 1\n", [":1: exit-with-stdin is '1'; accepted: true or false"]),
        ("config: other.yaml\n", [":1: 'config' is an unknown name"]),
        ("threads: 1\nthreads: 1\n", [":2: threads is there already; accepted: once (line 1)"]),
        ("threads: {\n", [" is no YAML"]),
        ("#" * 70_000, ["larger than that", "65536 bytes"]),
    ],
)
def test_a_file_that_is_refused(tmp_path, text, words):
    config = tmp_path / "livnd.yaml"
    config.write_text(text)
    # The flag would win, but what is wrong in the file stays wrong.
    done = serve(config, "--threads", "1")
    assert done.returncode == 2
    assert done.stderr.startswith(f"livnd serve: {config}") and done.stderr.count("\n") == 1
    assert not done.stdout
    for word in words:
        assert word in done.stderr


@pytest.mark.parametrize("path", ["absent.yaml", "."])
def test_a_file_that_is_not_there(tmp_path, path):
    config = tmp_path / path
    done = serve(config)
    assert done.returncode == 2
    assert done.stderr.startswith("livnd serve: ") and done.stderr.count("\n") == 1
    assert "accepted: a file of YAML" in done.stderr
