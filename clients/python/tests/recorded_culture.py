"""Recordings as a server writes them (docs/recordings.md), and what is in them, for tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np

TICK_NS = 25_000
KEY = [("copy", "<i4"), ("episode", "<i8"), ("tick", "<i8")]
CHUNK_BYTES = 1 << 19


def text(value: str) -> np.ndarray:
    """A text of fixed length, UTF-8."""
    data = value.encode()
    return np.array(data, h5py.string_dtype("utf-8", max(len(data), 1)))


def set_attributes(target: Any, attributes: Mapping[str, Any]) -> None:
    """Numbers, texts and lists of texts, as the server writes them."""
    for name, value in attributes.items():
        if isinstance(value, str):
            value = text(value)
        elif isinstance(value, list):
            encoded = [one.encode() for one in value]
            length = max([1, *map(len, encoded)])
            value = np.array(encoded, h5py.string_dtype("utf-8", length))
        elif isinstance(value, int):
            value = np.int64(value)
        target.attrs[name] = value


@dataclass
class Recorded:
    """A recording in the making: rows of each stream, its units and attributes.

    Attributes:
        rows: structured arrays, in the order in which they came.
        units: of each stream's columns after the key.
        stream_attributes: of each stream.
        attributes: of the file.
    """

    rows: dict[str, np.ndarray] = field(default_factory=dict)
    units: dict[str, list[str]] = field(default_factory=dict)
    stream_attributes: dict[str, dict[str, Any]] = field(default_factory=dict)
    attributes: dict[str, Any] = field(
        default_factory=lambda: {"tick_ns": TICK_NS, "physics_version": "1", "system": "EI-mini"}
    )

    def add(
        self,
        name: str,
        columns: list[tuple[Any, ...]],
        values: Mapping[str, Any],
        units: list[str] | None = None,
        **attributes: Any,
    ) -> None:
        """A stream; `values` has copy, episode and tick, too, unless it explains others."""
        keyed = [] if name.endswith(".labels") or name == "electrodes" else KEY
        dtype = np.dtype([*keyed, *columns])
        rows = np.zeros(len(next(iter(values.values()))), dtype)
        for column, value in values.items():
            rows[column] = value
        self.rows[name] = rows
        lead = ["", "", "tick"] if keyed else []
        self.units[name] = [*lead, *(units or [""] * len(columns))]
        self.stream_attributes[name] = attributes

    def add_electrodes(self, coordinates: np.ndarray, radius_um: float = 250.0) -> None:
        """Where electrodes are: rows of id, x, y, z in um."""
        self.add(
            "electrodes",
            [("channel", "<i4"), ("x", "<f8"), ("y", "<f8"), ("z", "<f8")],
            dict(zip(("channel", "x", "y", "z"), coordinates.T, strict=True)),
            ["", "um", "um", "um"],
            input_radius_um=radius_um,
            output_radius_um=radius_um,
        )

    def write(
        self, path: Path, *, closed: int = 1, dropped: Mapping[str, int] | None = None
    ) -> Path:
        """The file, with streams stored as the server stores them."""
        with h5py.File(path, "w", libver="v108") as file:
            set_attributes(
                file,
                {"format": "livnd recording", "format_version": 1, "closed": closed}
                | {"num_flushes": 7, "num_waits": 0, "waited_us": 0}
                | self.attributes,
            )
            for name, rows in self.rows.items():
                size = rows.dtype.itemsize
                chunk = 1 << max(0, (CHUNK_BYTES // size).bit_length() - 1)
                data = file.create_dataset(
                    name, data=rows, maxshape=(None,), chunks=(chunk,), shuffle=True,
                    compression="gzip", compression_opts=1, fletcher32=True,
                )  # fmt: skip
                told = {"units": self.units[name], "num_dropped": (dropped or {}).get(name, 0)}
                set_attributes(data, told | self.stream_attributes[name])
        return path


def series(keys: np.ndarray, values: np.ndarray) -> dict[str, Any]:
    """Rows [samples, 3] of copy, episode and tick, and [samples, elements]."""
    return {"copy": keys[:, 0], "episode": keys[:, 1], "tick": keys[:, 2], "values": values}


def culture(
    seed: int = 1,
    *,
    num_copies: int = 1,
    num_episodes: int = 3,
    num_cells: int = 20,
    num_electrodes: int = 4,
    step_ticks: int = 400,
    num_steps: int = 25,
    rate: float = 3.0,
) -> Recorded:
    """A culture under a task: every stream that there is, written step after step.

    Args:
        seed: of everything.
        num_copies: of the session, which take turns.
        num_episodes: of each copy; every other one is a step shorter.
        num_cells: gids are 0 .. num_cells - 1; the last one is silent.
        num_electrodes: with a potential, events and stimuli.
        step_ticks: of a step; potentials and voltages are sampled every 40 ticks.
        num_steps: of an episode.
        rate: spikes a step, of all cells, on average.
    """
    rng = np.random.default_rng(seed)
    made = Recorded()
    made.attributes |= {"num_copies": num_copies, "environment": "livnd/TargetRate-EI-mini-v0"}
    lists: dict[str, list[tuple[Any, ...]]] = {}
    sampled: dict[str, list[np.ndarray]] = {"potentials": [], "voltages": [], "weights": []}
    samples: list[tuple[int, int, int]] = []
    weighed: list[tuple[int, int, int]] = []
    weights = np.ones((num_copies, 12))
    for episode in range(1, num_episodes + 1):
        steps = num_steps - episode % 2
        for copy in range(num_copies):
            lists.setdefault("starts", []).append((copy, episode, 0, seed * 1000 + episode))
            lists.setdefault("observed", []).append((copy, episode, 0, rng.normal(size=3)))
        for step in range(steps):
            for copy in range(num_copies):
                begin = step * step_ticks
                lists.setdefault("actions", []).append((copy, episode, begin, rng.normal(size=2)))
                ticks = np.sort(rng.integers(begin, begin + step_ticks, rng.poisson(rate)))
                for tick in ticks.tolist():
                    gid = int(rng.integers(num_cells - 1))
                    lists.setdefault("spikes", []).append((copy, episode, tick, gid))
                    for channel in {gid % num_electrodes, gid // 2 % num_electrodes}:
                        lists.setdefault("events", []).append((copy, episode, tick, channel))
                if step % 5 == 2:
                    channel = int(rng.integers(num_electrodes))
                    for phase, value in enumerate((-2.5, 2.5)):
                        lists.setdefault("stimuli", []).append(
                            (copy, episode, begin + 40 + 8 * phase, channel, value, 8)
                        )
                for tick in range(begin, begin + step_ticks, 40):
                    samples.append((copy, episode, tick))
                    sampled["potentials"].append(rng.normal(0, 15, num_electrodes))
                    sampled["voltages"].append(rng.normal(-65, 4, 3))
                weights[copy] = np.clip(weights[copy] + rng.normal(0, 0.03, 12), 0, 3)
                weighed.append((copy, episode, begin))
                sampled["weights"].append(weights[copy].copy())
                end = begin + step_ticks
                lists.setdefault("rewards", []).append(
                    (copy, episode, end, rng.normal(), step == steps - 1, False)
                )
                lists.setdefault("observed", []).append((copy, episode, end, rng.normal(size=3)))
    columns: dict[str, tuple[str, list[tuple[Any, ...]], list[str]]] = {
        "starts": ("episode_starts", [("seed", "<u8")], [""]),
        "rewards": (
            "rewards",
            [("reward", "<f8"), ("terminated", "u1"), ("truncated", "u1")],
            ["", "", ""],
        ),
        "spikes": ("spikes", [("gid", "<i4")], [""]),
        "events": ("channel_events", [("channel", "<i4")], [""]),
        "stimuli": (
            "stimuli",
            [("channel", "<i4"), ("value", "<f8"), ("num_ticks", "<i8")],
            ["", "uA", "tick"],
        ),
        "actions": ("actions.stimulus", [("values", "<f4", (2,))], [""]),
        "observed": ("observations.rates", [("values", "<f4", (3,))], ["Hz"]),
    }
    for key, (name, own, units) in columns.items():
        rows = lists.get(key, [])
        names = ["copy", "episode", "tick", *(column[0] for column in own)]
        values = {one: [row[i] for row in rows] for i, one in enumerate(names)}
        extra = {"channels": "electrode"} if name == "stimuli" else {}
        made.add(name, own, values, units, **extra)
    keys = np.array(samples)
    potentials = np.array(sampled["potentials"], np.float32)
    made.add("potentials", [("values", "<f4", (num_electrodes,))], series(keys, potentials),
             ["uV"], sample_dt_ms=1.0)  # fmt: skip
    made.add("voltages", [("values", "<f8", (3,))], series(keys, np.array(sampled["voltages"])),
             ["mV"], sample_dt_ms=1.0)  # fmt: skip
    labels = [("gid", "<i8"), ("section", "<i8")]
    made.add("voltages.labels", labels, {"gid": [2, 5, 5], "section": [0, 0, 1]})
    made.add("learned_weights", [("values", "<f8", (12,))],
             series(np.array(weighed), np.array(sampled["weights"])), [""],
             sample_dt_ms=step_ticks * TICK_NS / 1e6)  # fmt: skip
    return made


def spikes_of(recorded: Recorded, copy: int, episode: int) -> tuple[np.ndarray, np.ndarray]:
    """Gids and ticks of one episode's spikes, by ticks."""
    rows = recorded.rows["spikes"]
    rows = rows[(rows["copy"] == copy) & (rows["episode"] == episode)]
    rows = rows[np.argsort(rows["tick"], kind="stable")]
    return rows["gid"].astype(np.int64), rows["tick"].astype(np.int64)
