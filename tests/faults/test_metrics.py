"""What the server counts of its work is what was done, told as Prometheus wants it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import grpc
import livnd
import numpy as np
import pytest
from livnd import errors
from prometheus_client.parser import text_string_to_metric_families
from serving import ROOT, TASK, Serve

HERE = "127.0.0.1:0"
STAGES = ("queue", "compute", "serialize")
DASHBOARD = ROOT / "deploy/grafana/livnd.json"
OURS = ("livnd_", "process_")  # how names of metrics begin


class Scrape:
    """The families of a scrape, and their samples by name and labels."""

    def __init__(self, server: Serve) -> None:
        with urllib.request.urlopen(server.ready["metrics"], timeout=60) as answer:
            assert answer.headers["Content-Type"].startswith("text/plain")
            self.text = answer.read().decode()
        self.families = list(text_string_to_metric_families(self.text))
        self.samples = [sample for family in self.families for sample in family.samples]

    def __call__(self, name: str, **labels: str) -> float:
        """The sum of the samples of a name that carry these labels."""
        found = [
            s.value for s in self.samples if s.name == name and labels.items() <= s.labels.items()
        ]
        assert found or labels, name
        return sum(found)


@pytest.fixture
def server():
    with Serve("--metrics-listen", HERE) as serving:
        yield serving


@pytest.fixture
def client(server):
    with livnd.connect(server.address, retry_s=0) as connected:
        yield connected


def test_steps_and_episodes_of_a_task(server, client):
    session = client.create_session(TASK, 3)
    seconds = session.spec.step_duration_ms / 1000
    session.reset()
    before = Scrape(server)
    assert before("livnd_episodes_total") == 3
    assert before("livnd_steps_total") == before("livnd_simulated_seconds_total") == 0
    actions = np.zeros((3, *session.spec.actions[0].shape), np.float32)
    num_calls = steps = episodes = 0
    while episodes < 3:
        done = session.step(actions)
        num_calls += 1
        episodes += int(done.began.sum())
        steps += int((~done.began | done.terminated | done.truncated).sum())
    session.observe()
    after = Scrape(server)
    assert after("livnd_steps_total") == steps == 3 * (num_calls - 1)
    assert after("livnd_episodes_total") == 3 + episodes == 6
    assert after("livnd_simulated_seconds_total") == pytest.approx(steps * seconds)
    assert after("livnd_numerical_failures_total") == 0
    assert after("livnd_calls_total", method="Step", code="OK") == num_calls
    assert after("livnd_calls_total", method="Reset") == 1
    assert after("livnd_calls_total", service="SessionService", method="CreateSession") == 1
    for stage in STAGES:
        name = f"livnd_call_{stage}_seconds"
        assert after(f"{name}_count", method="Step") == num_calls
        assert after(f"{name}_count", method="Reset") == 1
        assert after(f"{name}_count", method="Observe") == 1
        assert after(f"{name}_bucket", method="Step", le="+Inf") == num_calls
        assert after(f"{name}_sum", method="Step") > 0
        assert after(f"{name}_count", service="CultureService") == 0
    assert after("livnd_denials_total") == 0


def test_runs_and_failures_of_a_culture(server, client):
    culture = client.create_culture("EI-mini", 3)
    culture.clear([1, 2, 3])
    culture.run(100)
    assert Scrape(server)("livnd_simulated_seconds_total") == pytest.approx(0.3)
    samples = np.zeros((3, 20, 1))
    samples[1, 5:] = 1e9
    failed = culture.run(20, [livnd.CultureStimulus("current_na", samples, 1.0, [(0, 0)])])
    lived_ms = failed.failed_at_ms[1] - 100
    assert 0 < lived_ms < 20
    assert Scrape(server)("livnd_numerical_failures_total") == 1
    culture.run(10)  # of the two others
    after = Scrape(server)
    assert after("livnd_numerical_failures_total") == 1
    expected_ms = 3 * 100 + 2 * 20 + lived_ms + 2 * 10
    assert after("livnd_simulated_seconds_total") == pytest.approx(expected_ms / 1000)
    assert after("livnd_steps_total") == after("livnd_episodes_total") == 0
    for stage in STAGES:
        assert after(f"livnd_call_{stage}_seconds_count", method="Run") == 3
        assert after(f"livnd_call_{stage}_seconds_count", method="Clear") == 1


def test_what_there_is(server, client):
    def levels() -> tuple[float, ...]:
        now = Scrape(server)
        return tuple(now(f"livnd_{name}") for name in ("sessions", "environments", "queued_tasks"))

    assert levels() == (0, 0, 0)
    with client.create_session(TASK, 3), client.create_culture("EI-mini", 2):
        assert levels() == (2, 5, 0)
    assert levels() == (0, 0, 0)
    info = client.server_info()
    now = Scrape(server)
    assert now("livnd_workers") == info.num_workers
    versions = {"version": info.server_version, "physics_version": info.physics_version}
    assert now("livnd_build_info", **versions) == 1


def test_the_memory_of_the_process(server, client):
    def allocated() -> float:
        return Scrape(server)("livnd_memory_allocated_bytes")

    client.create_culture("EI-mini", 1).close()  # builds what copies share
    without = allocated()
    rollup = Path(f"/proc/{server.process.pid}/smaps_rollup").read_text()
    resident = 1024 * int(rollup.partition("Rss:")[2].split()[0])
    assert Scrape(server)("process_resident_memory_bytes") == pytest.approx(resident, rel=0.2)
    assert 0 < without < resident
    with client.create_culture("EI-mini", 256) as session:
        copies = allocated() - without
        assert copies > 256 * 4000  # bytes
        session.clear(range(256))
        session.run(1.0)
        assert allocated() - without > 0.9 * copies
    assert allocated() - without < 0.1 * copies


def test_where_sessions_are_and_how_long_they_took_to_come_back():
    with Serve("--metrics-listen", HERE, "--lease", "300ms") as server:

        def places() -> tuple[float, ...]:
            now = Scrape(server)
            names = ("sessions", "sessions_on_disk", "sessions_lost")
            return tuple(now(f"livnd_{name}") for name in names)

        def until(expected: tuple[float, ...]) -> None:
            deadline = time.monotonic() + 60
            while places() != expected:
                assert time.monotonic() < deadline, places()
                time.sleep(0.05)

        with livnd.connect(server.address) as client:
            names = [client.create_session(TASK, 1).detach() for _ in range(2)]
            assert Scrape(server)("livnd_recovery_seconds") == 0
            until((0, 2, 0))
            session = client.attach_session(names[0])
            session.reset()
            session.detach()  # or the client would keep it in memory
            until((0, 2, 0))
            server.kill()
            damaged = next(path for path in server.journals if path.stem == names[1])
            content = bytearray(damaged.read_bytes())
            content[12] ^= 0xFF
            damaged.write_bytes(content)
            server.command[server.command.index("--lease") + 1] = "1h"
            server.start()
            until((0, 1, 1))
            session = client.attach_session(names[0])
            session.step(np.zeros((1, *session.spec.actions[0].shape), np.float32))
            assert places() == (1, 0, 1)
            server.kill()
            server.start()
            assert places() == (1, 0, 1)
            assert Scrape(server)("livnd_recovery_seconds") > 0


def test_answers_that_come_late_are_counted():
    with (
        Serve("--metrics-listen", HERE, "--pace", "real") as server,
        livnd.connect(server.address) as client,
        client.create_session(TASK, 1) as session,
    ):
        actions = np.zeros((1, *session.spec.actions[0].shape), np.float32)
        session.reset()
        session.step(actions)
        before = Scrape(server)("livnd_late_answers_total")
        time.sleep(3 * session.spec.step_duration_ms / 1000)
        session.step(actions)
        assert Scrape(server)("livnd_late_answers_total") == before + 1


def test_denials_by_reason(server, client):
    with pytest.raises(errors.UnknownEnvironmentError):
        client.create_session("Nothing-v0")
    session = client.create_session(TASK)
    with pytest.raises(errors.NotResetError):
        session.observe()
    with grpc.insecure_channel(server.address) as channel:
        for method, sent in (
            ("EnvironmentService/Step", b"\xff"),
            ("EnvironmentService/Step", b""),
            ("EnvironmentService/Jump", b""),
            ("EnvironmentService/Leap", b""),
        ):
            with pytest.raises(grpc.RpcError):
                channel.unary_unary(f"/livnd.v1.{method}")(sent)
    now = Scrape(server)
    denied = {s.labels["reason"]: s.value for s in now.samples if s.name == "livnd_denials_total"}
    assert {reason: count for reason, count in denied.items() if count} == {
        "UNKNOWN_ENVIRONMENT": 1,
        "NOT_RESET": 1,
        "MALFORMED_MESSAGE": 1,
        "UNKNOWN_SESSION": 1,
        "UNKNOWN_METHOD": 2,
    }
    assert "INTERNAL" in denied  # which is there before it is needed
    assert now("livnd_calls_total", method="unknown", code="UNIMPLEMENTED") == 2
    assert now("livnd_calls_total", method="Step", code="INVALID_ARGUMENT") == 1
    assert now("livnd_calls_total", method="Step", code="NOT_FOUND") == 1
    assert now("livnd_calls_total", method="Observe", code="FAILED_PRECONDITION") == 1
    assert now("livnd_call_compute_seconds_count", method="Step") == 0


def test_work_that_waits_is_seen():
    with Serve("--metrics-listen", HERE, "--threads", "1", "--drain-timeout", "0") as server:
        clients = [livnd.connect(server.address, retry_s=0) for _ in range(3)]
        cultures = [connected.create_culture("EI-mini", 64) for connected in clients]
        for culture in cultures:
            culture.clear()

        def run_for_minutes(culture):
            with pytest.raises(errors.ServerUnavailableError):
                culture.run(90_000.0)

        threads = [threading.Thread(target=run_for_minutes, args=(c,)) for c in cultures]
        for thread in threads:
            thread.start()
        while Scrape(server)("livnd_queued_tasks") == 0:
            time.sleep(0.01)
        server.terminate()
        for thread in threads:
            thread.join(60)
        for connected in clients:
            connected.close()


def test_every_family_keeps_to_the_conventions(server):
    scrape = Scrape(server)
    if promtool := shutil.which("promtool"):  # where it is installed, its word counts too
        checked = subprocess.run(
            [promtool, "check", "metrics"], input=scrape.text, capture_output=True, text=True
        )
        assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")
    for family in scrape.families:
        assert family.documentation, family.name
        if family.name.startswith("exposer_"):
            continue  # the library's own
        assert re.fullmatch(r"(livnd|process)(_[a-z]+)+", family.name)
        names = {sample.name for sample in family.samples}
        if family.type == "counter":
            assert names == {f"{family.name}_total"}
        elif family.type == "histogram":
            assert family.name.endswith("_seconds")
        else:
            assert family.type == "gauge" and names == {family.name}
        for sample in family.samples:
            assert set(sample.labels) <= {
                *("service", "method", "code", "reason", "le", "version", "physics_version", "use")
            }


def names_of(scrape: Scrape) -> set[str]:
    """As Prometheus knows the families: a counter by its samples' name."""
    return {
        family.name + ("_total" if family.type == "counter" else "")
        for family in scrape.families
        if family.name.startswith(OURS)
    }


def test_the_documentation_lists_every_metric(server, client):
    client.systems()
    table = re.findall(
        rf"^\| `((?:{'|'.join(OURS)})\w+)", (ROOT / "docs/operating.md").read_text(), flags=re.M
    )
    assert sorted(table) == sorted(names_of(Scrape(server)))


def test_the_dashboard_shows_what_is_exported(server, client):
    client.systems()
    scrape = Scrape(server)
    labels: dict[str, set[str]] = {}
    for sample in scrape.samples:
        labels.setdefault(sample.name, {"instance"}).update(sample.labels)
    dashboard = json.loads(DASHBOARD.read_text())
    queries = [
        (target["expr"], target["legendFormat"])
        for panel in dashboard["panels"]
        for target in panel["targets"]
    ]
    queries += [
        (variable["definition"], "")
        for variable in dashboard["templating"]["list"]
        if variable["type"] == "query"
    ]
    shown = set()
    for expression, legend in queries:
        names = set(re.findall(rf"\b(?:{'|'.join(OURS)})\w+", expression))
        assert names and names <= set(labels), expression
        shown |= names
        # Labels by which it sums and selects, and which its legend tells.
        used = set(re.findall(r"[{,]\s*(\w+)\s*(?:=|!=)", expression))
        for group in re.findall(r"\bby \(([^)]*)\)", expression):
            used |= {label.strip() for label in group.split(",")}
        used |= set(re.findall(r"{{(\w+)}}", legend))
        for name in names:
            assert used <= labels[name], (expression, legend)
    families = {re.sub("_(bucket|sum|count)$", "", name) for name in shown}
    assert families == names_of(scrape)
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])


def test_nothing_listens_unless_it_is_asked_for():
    with Serve() as server:
        assert "metrics" not in server.ready


def test_only_the_metrics_are_answered(server):
    root = server.ready["metrics"].removesuffix("/metrics")
    for request in (
        "/",
        "/../../../../etc/passwd",
        urllib.request.Request(f"{root}/metrics", data=b"x"),
        urllib.request.Request(f"{root}/x", data=b"x", method="PUT"),
    ):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(
                root + request if isinstance(request, str) else request, timeout=60
            )
        assert refused.value.code in (404, 405)


def test_scrapes_go_on_while_the_server_drains(server, client):
    culture = client.create_culture("EI-mini", 64)
    culture.clear()
    Scrape(server)
    done = threading.Event()

    def run_for_minutes():
        with pytest.raises(livnd.LivndError):
            culture.run(90_000.0)
        done.set()

    thread = threading.Thread(target=run_for_minutes)
    thread.start()
    server.until_it_works_hard()
    server.process.terminate()
    while "ending" not in server.log():
        time.sleep(0.01)
    assert done.is_set() or Scrape(server)("livnd_sessions") == 1
    server.process.terminate()
    server.process.wait(60)
    thread.join(60)


def refusal(*flags: str) -> str:
    with Serve(*flags) as server:
        assert server.ready is None
        assert server.process.wait(60) == 1
        return server.log()


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1"])
def test_beyond_this_machine_only_when_allowed(host):
    assert "--allow-insecure-remote" in refusal("--metrics-listen", f"{host}:0")


def test_anywhere_when_allowed():
    with Serve("--metrics-listen", "0.0.0.0:0", "--allow-insecure-remote") as server:
        assert server.ready["metrics"].startswith("http://0.0.0.0:")
        Scrape(server)


def test_an_address_that_cannot_be_listened_on(server):
    taken = server.ready["metrics"].removeprefix("http://").removesuffix("/metrics")
    log = refusal("--metrics-listen", taken)
    assert f"cannot serve metrics on {taken}" in log and "in use" in log
    log = refusal("--metrics-listen", "192.0.2.1:0", "--allow-insecure-remote")
    assert "cannot serve metrics on 192.0.2.1:0" in log
    for address in ("unix:metrics", "[::1]:0"):
        assert "IPV4:PORT or localhost:PORT" in refusal("--metrics-listen", address)
    assert "there is no port" in refusal("--metrics-listen", "localhost")
