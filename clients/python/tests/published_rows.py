"""Data sets in livn's layouts with random spikes, written as their makers write them."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import Any

import numpy as np

T_END_MS = 5000.0
# The head of README.md in a hub's repository, as `datasets` reads it.
README = """---
configs:
- config_name: S1
  data_files:
  - split: train_with_noise
    path: systems/data/S1/train_with_noise-*.parquet
  - split: test
    path: systems/data/S1/test.parquet
- config_name: S2
  data_files: systems/data/S2/*.parquet
---
# Rows of simulated cultures
"""


def train(rng: np.random.Generator, num_cells: int, count: int) -> tuple[list[int], list[float]]:
    """Gids and times of `count` spikes."""
    times = np.sort(rng.uniform(0, T_END_MS, count)).astype(np.float32)
    return rng.integers(0, num_cells, count).tolist(), times.tolist()


def trial_rows(rng: np.random.Generator, num_rows: int, num_cells: int = 11) -> list[dict]:
    """Rows of the published sets; some trials have no spikes."""
    rows = []
    for seed in range(num_rows):
        num_trials = int(rng.integers(1, 3))
        trials = [train(rng, num_cells, rng.integers(0, 60)) for _ in range(num_trials)]
        rows.append(
            {
                "trial_it": [ids for ids, _ in trials],
                "trial_t": [times for _, times in trials],
                "trial_iv": [[0, 7]] * num_trials,
                "trial_vv": [rng.normal(-70, 5, (2, 20)).tolist() for _ in trials],
                "features": [float(rng.integers(0, 16)), 1000.0, 500.0],
                "t_end": int(T_END_MS),
                "seed": seed,
                "trials": num_trials,
            }
        )
    return rows


def channel_rows(rng: np.random.Generator, num_rows: int, num_channels: int = 4) -> list[dict]:
    """Rows of the newer sets: spikes and potentials by channel."""
    rows = []
    for index in range(num_rows):
        trains = [train(rng, 11, rng.integers(0, 30)) for _ in range(num_channels)]
        rows.append(
            {
                "sample_id": f"sample{index:02d}",
                "cit": [ids for ids, _ in trains],
                "ctt": [times for _, times in trains],
                "cp": rng.normal(0, 20, (num_channels, 50)).tolist(),
            }
        )
    return rows


def run_rows(rng: np.random.Generator, num_rows: int) -> list[dict]:
    """Rows as livn's ArrowDataset has them: spikes, voltages and currents of one run."""
    rows = []
    for _ in range(num_rows):
        ids, times = train(rng, 11, rng.integers(0, 80))
        values = {"vv": rng.normal(-70, 5, (3, 30)), "mp": rng.normal(0, 1e-3, (3, 30))}
        values = {name: array.tolist() for name, array in values.items()}
        rows.append(
            {"duration": T_END_MS, "it": ids, "tt": times, "iv": [0, 1, 2], "im": [0, 1, 2]}
            | values
        )
    return rows


def dataset_of(rows: list[dict]) -> Any:
    """A Dataset of Hugging Face's `datasets`."""
    import datasets

    return datasets.Dataset.from_list(rows)


def write_parquet(rows: list[dict], path: Path, rows_a_group: int = 7) -> Path:
    """A Parquet file of that many rows in each group."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with quiet():
        dataset_of(rows).to_parquet(str(path), batch_size=rows_a_group)
    return path


def write_hub(folder: Path, rows: list[dict], *, readme: bool = True) -> Path:
    """A copy of a hub's repository, with splits in one and in two files."""
    data = folder / "systems/data"
    half = len(rows) // 2
    write_parquet(rows[:half], data / "S1/train_with_noise-00000-of-00002.parquet")
    write_parquet(rows[half:], data / "S1/train_with_noise-00001-of-00002.parquet")
    write_parquet(rows[:3], data / "S1/test.parquet")
    write_parquet(rows[:2], data / "S2/train-00000-of-00001.parquet")
    if readme:
        (folder / "README.md").write_text(README)
    return folder


def plain(value: Any) -> Any:
    """A row, or a value of one, as Python's lists and numbers."""
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, list):
        return [plain(one) for one in value]
    return value


@contextlib.contextmanager
def quiet() -> Any:
    """Without the bars that `datasets` draws."""
    with contextlib.redirect_stderr(io.StringIO()):
        yield
