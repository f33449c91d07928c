"""The clock of the wall may be put right by years: nothing is measured by it."""

from __future__ import annotations

import re

from checkout import ROOT, tracked

WALL = re.compile(r"absl::Now\(\)|system_clock|GetCurrentTimeNanos|\btime\.time\(\)|datetime\.now")
OF_TESTS = re.compile("test|fixture")
# What is said to people, and to gRPC, whose deadlines are points of the wall's time that it turns
# into steady time at once; and the age of files.
ALLOWED = {
    "clients/cpp/connection.cc",
    "server/commands/health.cc",
    "server/machine/log.cc",
    "server/machine/steady_time.h",
    "server/service/server.cc",
    "server/session/recorder.cc",
    "server/session/session_moves.cc",
}


def test_only_few_look_at_it():
    sources = tracked("base", "clients", "env", "io", "lab", "server", "sim")
    sources = [
        path
        for path in sources
        if path.endswith((".cc", ".h", ".py")) and not OF_TESTS.search(path)
    ]
    found = {path for path in sources if WALL.search((ROOT / path).read_text())}
    assert found == ALLOWED
