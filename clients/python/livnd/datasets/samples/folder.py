"""The samples of a folder, file after file, checked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from livnd import extras
from livnd.errors import bad_file

# What folders of one plan need not share (lab/sample/sample_folder.cc).
_OWN = ("command", "system", "params_from", "range")
_KEYS = (
    "name", "count", "part", "range", "splits", "trials", "seed", "tick_ms", "warmup_ms",
    "duration_ms", "sample_dt_ms", "input", "voltages", "potentials", "electrodes", "files",
    "physics_version", "command", "system",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Part:
    """Some samples that follow each other.

    Attributes:
        index: of each sample.
        seed: of its noise; trial k has the k-th stream of it.
        features: [samples, numbers], float32.
        offsets: [samples * trials + 1]: where the spikes of each trial begin.
        gids: of the spikes, by time in their trial.
        ticks: since the trial's start.
        failed_at_ms: [samples, trials]; NaN: good.
        voltages: [samples, trials, cells, times], mV, float32.
        potentials: [samples, trials, electrodes, times], uV, float32.
    """

    index: np.ndarray
    seed: np.ndarray
    features: np.ndarray
    offsets: np.ndarray
    gids: np.ndarray
    ticks: np.ndarray
    failed_at_ms: np.ndarray
    voltages: np.ndarray
    potentials: np.ndarray

    def __len__(self) -> int:
        return len(self.index)

    def cut(self, begin: int, end: int) -> Part:
        """Some of its samples, by their places in it."""
        trials = self.failed_at_ms.shape[1]
        offsets = self.offsets[begin * trials : end * trials + 1]
        spikes = slice(int(offsets[0]), int(offsets[-1]))
        rows = slice(begin, end)
        return Part(
            self.index[rows], self.seed[rows], self.features[rows], offsets - offsets[0],
            self.gids[spikes], self.ticks[spikes], self.failed_at_ms[rows], self.voltages[rows],
            self.potentials[rows],
        )  # fmt: skip


class SampleFolder:
    """A data set as `livnd sample` leaves it.

    Attributes:
        path: the folder.
        plan: run.json.
        splits: {name: (first sample, end)}, of all samples of the plan.
        num_trials: of each sample.
        num_times: of a trial's voltages and potentials.
    """

    def __init__(self, path: Path) -> None:
        """Reads run.json; BadFileError: it is none."""
        self.path = path
        file = path / "run.json"
        try:
            plan = json.loads(file.read_bytes())
        except FileNotFoundError:
            raise bad_file(path, "", "a folder without run.json", "one of livnd sample") from None
        except ValueError as error:
            raise bad_file(file, "", f"no JSON ({error})", "a JSON object") from None
        if not isinstance(plan, dict) or plan.get("sample") != 1:
            raise bad_file(file, "sample", "missing or another", "1: a plan of livnd sample")
        for key in _KEYS:
            if key not in plan:
                raise bad_file(file, key, "missing", "a member, as livnd sample writes it")
        self.plan: dict[str, Any] = plan
        self.splits, begin = {}, 0
        for name, count in plan["splits"].items():
            self.splits[name] = (begin, begin + count)
            begin += count
        self.num_trials = int(plan["trials"])
        every = round(plan["sample_dt_ms"] / plan["tick_ms"])
        self.num_times = -(-round(plan["duration_ms"] / plan["tick_ms"]) // every)

    @property
    def is_whole(self) -> bool:
        """Whether it is to have all samples of its plan, and not a range of them."""
        return self.plan["range"] == [0, self.plan["count"]]

    def part_numbers(self) -> list[int]:
        """Of the files that it is to have."""
        begin, end = self.plan["range"]
        return list(range(begin // self.plan["part"], -(-end // self.plan["part"])))

    def part_path(self, number: int) -> Path:
        """Where a file is."""
        return self.path / "parts" / f"part-{number:07d}.h5"

    def parts(self, begin: int = 0, end: int | None = None) -> Iterator[Part]:
        """The samples from begin on, those that the folder is to have.

        Raises:
            BadFileError: a file is missing, damaged, or none of this plan.
        """
        end = self.plan["count"] if end is None else end
        size = self.plan["part"]
        for number in self.part_numbers():
            first = number * size
            if first >= end or first + size <= begin:
                continue
            part = self.read(number)
            yield part.cut(max(begin - first, 0), min(end - first, len(part)))

    def read(self, number: int) -> Part:
        """One file."""
        path = self.part_path(number)
        h5py = extras.load("h5py", "data", "reading samples")
        if not path.is_file():
            accepted = "there: the same livnd sample command makes what is missing"
            raise bad_file(path, "", "missing", accepted)
        try:
            with h5py.File(path, "r") as file:
                found = {name: file[name][()] for name in file}
        except (OSError, KeyError, RuntimeError) as error:
            text = " ".join(str(error).split())[:200]
            raise bad_file(
                path, "", f"unreadable ({text})", "a file of livnd sample, whole"
            ) from None
        return self._checked(path, number, found)

    def _checked(self, path: Path, number: int, found: dict[str, Any]) -> Part:
        plan, size = self.plan, self.plan["part"]
        own = {key: value for key, value in plan.items() if key not in _OWN}
        try:
            stored = json.loads(found["plan"].tobytes())
        except (KeyError, AttributeError, ValueError):
            stored = None
        if stored != own:
            raise bad_file(path, "plan", "another", "that of its folder")
        first = number * size
        index = np.arange(first, min(first + size, plan["count"]), dtype=np.uint64)
        rows, trials = len(index), self.num_trials
        cells = len(plan["voltages"])
        electrodes = len(plan["electrodes"]) if plan["potentials"] else 0
        given = plan["input"]
        numbers = 0
        if given is not None:
            steps = round(plan["duration_ms"] / given["step_ms"])
            numbers = len(given["features"]) * steps
        shapes = {
            "index": (rows,), "seed": (rows,), "features": (rows, numbers),
            "spike_offsets": (rows * trials + 1,), "failed_at_ms": (rows, trials),
            "voltages_mv": (rows, trials, cells, self.num_times),
            "potentials_uv": (rows, trials, electrodes, self.num_times),
        }  # fmt: skip
        values = {}
        for name, shape in shapes.items():
            values[name] = _shaped(path, name, found.get(name), shape)
        offsets = values["spike_offsets"].astype(np.int64)
        num_spikes = int(offsets[-1])
        if offsets[0] != 0 or (np.diff(offsets) < 0).any():
            raise bad_file(path, "spike_offsets", "out of order", "rising from 0")
        for name in ("spike_gids", "spike_ticks"):
            values[name] = _shaped(path, name, found.get(name), (num_spikes,))
        if not np.array_equal(values["index"], index):
            raise bad_file(path, "index", "others", f"{index[0]} .. {index[-1]}")
        return Part(
            values["index"], values["seed"], values["features"], offsets, values["spike_gids"],
            values["spike_ticks"], values["failed_at_ms"], values["voltages_mv"],
            values["potentials_uv"],
        )  # fmt: skip


def _shaped(path: Path, name: str, values: Any, shape: tuple[int, ...]) -> np.ndarray:
    size = int(np.prod(shape, dtype=np.int64))
    if not isinstance(values, np.ndarray) or values.ndim != 1 or len(values) != size:
        value = "missing" if values is None else f"{np.size(values)} numbers"
        raise bad_file(path, name, value, f"{size} numbers")
    return values.reshape(shape)
