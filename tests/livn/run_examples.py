"""The examples of livn's documentation give on livnd what they give on its native backend.

They are taken from livn's source distribution and run as they are, but for what each one's changes
say: the system EI, which only the network has, becomes EI-100, and what is pinned to NEURON is not.
Its name keeps it out of the other legs' pytest (see run_suite.py).
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import livnd
import numpy as np
import pytest
from livn_source import livn_source

ROOT = Path(__file__).resolve().parents[2]
SYSTEM = ROOT / "tests/data/served/EI-100"

# Keeps what an example made: arrays by name, and a mapping's values in the order of its keys.
KEEP = """
import numpy as np
kept = {{}}
for name in {names!r}:
    value = globals()[name]
    if isinstance(value, dict):
        keys = sorted(value, key=str)
        kept[name + " of"] = np.array([str((key, np.size(value[key]))) for key in keys])
        value = np.concatenate([np.ravel(value[key]) for key in keys] or [[]])
    kept[name] = np.asarray(value)
np.savez({path!r}, **kept)
"""


@dataclass(frozen=True)
class Example:
    """One of livn's, its changes (each has to apply), and the names of what is compared."""

    path: str
    names: tuple[str, ...]
    changes: tuple[tuple[str, str], ...] = ()
    heading: str = ""  # of a page: the first code below it
    ranks: int = 0  # of MPI; 0: none
    before: str = ""  # code
    fires: str = "t"  # what may not be empty


NOT_NEURON = ('os.environ["LIVN_BACKEND"] = "neuron"', "")
NEAR = ("area(400,", "area(100,")  # electrodes of a smaller culture
TUNED = ("env.apply_model_defaults()", "env.apply_default_params()")
EXAMPLES = {
    "first simulation": Example(
        "examples/run_a_simulation.py",
        ("ids", "times"),
        (('predefined("EI")', repr(str(SYSTEM))), ("(200.0, 800.0)", "(20.0, 80.0)")),
        fires="times",
    ),
    "dataset": Example(
        "examples/using_the_dataset.py",
        ("it", "t", "cit", "ct"),
        (
            ("from datasets import load_dataset", "from livn.env import Env"),
            ("from livn.system import make", "from livn.system import System"),
            ('load_dataset("livn-org/livn", name=system_name)', "sampled()"),
            ("make(system_name)", f"System({str(SYSTEM)!r})"),
        ),
        before=f"""
def sampled():
    run = Env({str(SYSTEM)!r}).init().apply_default_params().record_spikes().run(1000)
    row = {{"trial_it": [run.spike_ids], "trial_t": [run.spike_times], "features": [0, 100, 1.0]}}
    return {{"train_with_noise": [row]}}
""",
    ),
    "parallel": Example(
        "examples/parallel_simulation.py",
        ("it", "t", "v", "p", "cit", "ct"),
        (
            NOT_NEURON,
            ('predefined("EI")', repr(str(SYSTEM))),
            # Before rounding is amplified by a cell near its threshold.
            ("trial_length = 30_000", "trial_length = 200"),
            ("t_stim = 500", "t_stim = 50"),
            NEAR,
            TUNED,
        ),
    ),
    "distributed workers": Example(
        "examples/distributed_workers.py",
        ("cit", "ct", "p"),
        (
            ("./systems/graphs/EI", str(SYSTEM)),
            NEAR,
            ("subworld_size=3", "subworld_size=1"),
            TUNED,
            # Of all responses, what each gave by channel.
            (
                "        cit, ct, iv, vv, im, p = response\n",
                "        cit, ct, iv, vv, im, p = response\n"
                "        made = globals().setdefault('made', [{}, {}, {}])\n"
                "        for into, found in zip(made, (cit, ct, {0: p})):\n"
                "            into.update({(rid, key): found[key] for key in found})\n",
            ),
            ("\nenv.shutdown()\n", "\n    cit, ct, p = made\n    KEEP\nenv.shutdown()\n"),
        ),
        ranks=3,
        fires="ct",
    ),
    "STDP training": Example(
        "examples/stdp_training.py",
        ("it_train", "t_train", "t_eval", "w_before", "w_after", "w_final", "traces"),
        (
            NOT_NEURON,
            ('"systems/graphs/EI"', repr(str(SYSTEM))),
            TUNED,
            ("np.array(vec.as_numpy())", "np.array(vec)"),  # NEURON's vectors
            ("\nenv.close()\n", "\ntraces = dict(env.w_recs)\nenv.close()\n"),
        ),
        fires="t_train",
    ),
    "optical": Example(
        "docs/guide/advanced/optical-stimulation.md",
        ("it", "t", "v"),
        (
            ('os.environ["LIVN_BACKEND"] = "neuron"  # or "diffrax"', ""),
            ("from livn import make", "from livn.env import Env"),
            ('make("EI")', f"Env({str(SYSTEM)!r}).init().apply_default_params()"),
        ),
        heading="## Quick start",
    ),
}


def code_of(example: Example, kept: Path) -> str:
    text = (livn_source() / example.path).read_text()
    if example.heading:
        text = text.partition(example.heading)[2]
        text = re.search(r"```python\n(.*?)```", text, flags=re.S)[1]
    for old, new in example.changes:
        assert old in text, f"{example.path} has no {old!r}"
        text = text.replace(old, new)
    keep = KEEP.format(names=example.names, path=str(kept))
    if "    KEEP\n" in text:
        text = text.replace("    KEEP\n", "".join(f"    {li}\n" for li in keep.splitlines()))
    else:
        text += keep
    return f"import warnings\nwarnings.simplefilter('ignore')\n{example.before}{text}"


def run_example(
    example: Example, backend: str, folder: Path, **environment: str
) -> dict[str, np.ndarray]:
    """What an example made on a backend, by name."""
    kept = folder / f"{backend}.npz"
    script = folder / f"{backend}.py"
    script.write_text(code_of(example, kept))
    launcher = []
    if example.ranks:
        launcher = [str(Path(sys.executable).parent / "mpiexec"), "-n", str(example.ranks)]
    done = subprocess.run(
        [*launcher, sys.executable, str(script)],
        cwd=folder,
        env={
            **os.environ,
            "LIVN_BACKEND": backend,
            "MPLBACKEND": "agg",
            "PYTHONPATH": str(ROOT / "clients/python"),
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    with np.load(kept) as file:
        return dict(file)


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_gives_the_same(name: str, tmp_path: Path) -> None:
    example = EXAMPLES[name]
    native, ours = (run_example(example, b, tmp_path) for b in ("native", "livnd.livn"))
    assert len(native[example.fires]) > 5
    assert_same(native, ours, name)


def test_workers_share_a_server(tmp_path: Path) -> None:
    example = EXAMPLES["distributed workers"]
    own = run_example(example, "livnd.livn", tmp_path)
    with livnd.connect(systems=SYSTEM.parent) as client:
        client.systems()
        shared = run_example(example, "livnd.livn", tmp_path, LIVND_ADDRESS=client.address)
    assert_same(own, shared, "on one server")


def assert_same(native: dict[str, np.ndarray], ours: dict[str, np.ndarray], name: str) -> None:
    assert native.keys() == ours.keys()
    for array, expected in native.items():
        assert ours[array].dtype == expected.dtype, array
        if expected.dtype.kind == "f":
            atol = 2e-3 if array == "v" else 1e-4  # mV, at the steep side of a spike
            np.testing.assert_allclose(
                ours[array], expected, rtol=1e-4, atol=atol, err_msg=f"{name}, {array}"
            )
        else:
            np.testing.assert_array_equal(ours[array], expected, err_msg=f"{name}, {array}")
