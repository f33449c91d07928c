"""Recordings of spikes, beside h5py: lines `recording/...`."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

import h5py
import livnd
import numpy as np
from report import Report, say
from worker import BenchError, Worker

WRITE, STEPPING, HOUR, SLICE, SERVED = (
    f"recording/{name}" for name in ("write", "stepping", "hour-bytes", "slice", "served-step")
)
LINES = [WRITE, STEPPING, HOUR, SLICE, SERVED]

# The session that is recorded over the wire, and how its steps are counted.
_ENVIRONMENT, _COPIES, _BLOCK_STEPS = "TargetRate-EI-100-v0", 16, 10

# As recording_bench.cc has them: 1000 cells at 10 Hz, in steps of 10 ms of 400 ticks.
_SPIKES_OF_SECOND, _TICKS_OF_SECOND = 10_000, 40_000
_HOUR_SPIKES = 3600 * _SPIKES_OF_SECOND
_ROW = np.dtype([("copy", "<i4"), ("episode", "<i8"), ("tick", "<i8"), ("gid", "<i4")])


def h5py_write_s(path: Path, num_spikes: int) -> float:
    """CPU seconds of h5py for such spikes in such chunks, flushed once a simulated second."""
    random = np.random.default_rng(1)
    spent = 0.0
    with h5py.File(path, "w") as f:
        spikes = f.create_dataset(
            "spikes",
            (0,),
            _ROW,
            maxshape=(None,),
            chunks=(16384,),
            shuffle=True,
            compression="gzip",
            compression_opts=1,
            fletcher32=True,
        )
        for second in range(num_spikes // _SPIKES_OF_SECOND):
            rows = np.zeros(_SPIKES_OF_SECOND, _ROW)
            rows["episode"] = 1
            ticks = 4 * np.arange(_SPIKES_OF_SECOND) + random.integers(0, 4, _SPIKES_OF_SECOND)
            rows["tick"] = second * _TICKS_OF_SECOND + ticks
            rows["gid"] = random.integers(0, 1000, _SPIKES_OF_SECOND)
            begin = time.process_time()
            spikes.resize(len(spikes) + len(rows), axis=0)
            spikes[-len(rows) :] = rows
            f.flush()
            spent += time.process_time() - begin
    return spent


def h5py_slice_s(path: Path, begin_tick: int, end_tick: int) -> tuple[float, int]:
    """CPU seconds of h5py to find the spikes of a span in all rows, and how many there are."""
    begin, found = time.process_time(), 0
    with h5py.File(path) as f:
        spikes = f["spikes"]
        for first in range(0, len(spikes), 1 << 20):
            ticks = spikes[first : first + (1 << 20)]["tick"]
            found += np.count_nonzero((ticks >= begin_tick) & (ticks < end_tick))
    return time.process_time() - begin, found


def served_step_us(binaries: Path, root: Path, num_blocks: int) -> tuple[float, float]:
    """Microseconds of a step of a session that is recorded, and of one that is not.

    Both have the same copies and actions, and take turns; everything that they do is recorded.
    """
    with tempfile.TemporaryDirectory(prefix="livnd-bench-") as folder:
        serve = [binaries / "server/livnd", "serve", "--listen", f"unix:{folder}/s"]
        serve += ["--exit-with-stdin", "--state-dir", f"{folder}/state"]
        serve += ["--systems", root / "systems", "--threads", "1"]
        with Worker(serve) as server, livnd.connect(server.ready["address"]) as client:
            recorded, plain = (client.create_session(_ENVIRONMENT, _COPIES) for _ in range(2))
            name = recorded.start_recording()
            random = np.random.default_rng(1)
            shape = (_BLOCK_STEPS, _COPIES, *plain.spec.actions[0].shape)
            actions = random.uniform(-1.0, 1.0, shape).astype(np.float32)
            for session in (recorded, plain):
                session.reset(range(_COPIES))
            blocks: dict[str, list[float]] = {recorded.name: [], plain.name: []}
            for block in range(num_blocks + 1):
                # Who comes second finds warm caches: each in turn.
                order = [recorded, plain] if block % 2 else [plain, recorded]
                for session in order:
                    begin = time.perf_counter()
                    for action in actions:
                        session.step(action)
                    blocks[session.name].append((time.perf_counter() - begin) / _BLOCK_STEPS)
            with_it, without = (
                1e6 * statistics.median(blocks[session.name][1:]) for session in (recorded, plain)
            )
            info = next(r for r in client.recordings() if r.name == name)
            share = 100 * info.recording_s / info.operations_s
            say(f"{SERVED}: {share:.2f} % of the steps in making and handing over rows")
            say(f"{SERVED}: {info.num_rows}, {info.num_bytes} bytes, {info.num_waits} waits")
            recorded.stop_recording()
            return with_it, without


def run(wanted: set[str], report: Report, binaries: Path, root: Path, quick: bool) -> None:
    """Measures and prints the lines that are wanted."""
    if not wanted.intersection(LINES):
        return
    num_spikes = 1_000_000 if quick else 100_000_000
    num_compared = 200_000 if quick else 5_000_000
    with (
        tempfile.TemporaryDirectory() as folder,
        Worker([binaries / "tools/bench/recording_bench"]) as engine,
    ):
        path = Path(folder) / "recording.h5"
        wrote = engine.ask("write", path=str(path), num_spikes=num_spikes)
        if wrote["dropped"]:
            raise BenchError("spikes were dropped")
        million = num_spikes / 1e6
        if SERVED in wanted:
            with_it, without = served_step_us(binaries, root, 20 if quick else 200)
            report.line(SERVED, with_it, without, "us")
        if WRITE in wanted:
            by_h5py = h5py_write_s(Path(folder) / "h5py.h5", num_compared)
            report.line(WRITE, wrote["cpu_s"] / million, by_h5py / (num_compared / 1e6), "s")
        if STEPPING in wanted:
            report.line(STEPPING, wrote["stepping_s"] / million, None, "s")
        if HOUR in wanted:
            hour = _HOUR_SPIKES / num_spikes * wrote["bytes"]
            report.line(HOUR, hour, float(_HOUR_SPIKES * _ROW.itemsize), "bytes")
        if SLICE in wanted:
            middle = num_spikes // _SPIKES_OF_SECOND // 2 * _TICKS_OF_SECOND
            span = (middle, middle + _TICKS_OF_SECOND)
            ours = engine.ask("slice", path=str(path), begin_tick=span[0], end_tick=span[1])
            by_h5py, found = h5py_slice_s(path, *span)
            if not found == ours["num_spikes"] == _SPIKES_OF_SECOND:
                raise BenchError(f"{ours['num_spikes']} spikes were found, by h5py {found}")
            report.line(SLICE, ours["cpu_s"], by_h5py, "s")
