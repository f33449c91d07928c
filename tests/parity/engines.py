"""The two engines: livn 2.0.0 in this process, livnd as a program."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import json
import logging
import os
import subprocess
from pathlib import Path
from typing import Any

from judge import Arrays

ROOT = Path(__file__).resolve().parents[2]
TWIN_MV = 1e-12  # between the starting voltages of livn's two runs

_trace: Any = None


def trace_module() -> Any:
    """tools/oracle/trace.py, whose name is also one of Python's own modules."""
    global _trace
    if _trace is None:
        path = ROOT / "tools/oracle/trace.py"
        spec = importlib.util.spec_from_file_location("oracle_trace", path)
        assert spec is not None and spec.loader is not None
        _trace = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(_trace)
    return _trace


def start_worker() -> None:
    """Import livn, once a process."""
    os.environ["LIVN_BACKEND"] = "native"
    logging.disable(logging.WARNING)
    trace_module()
    import livn.models.rcsd  # noqa: F401


def run_livnd(binary: Path, case_path: Path, folder: Path) -> dict:
    """What livnd makes of a case without a livn trace beside it."""
    done = subprocess.run(
        [str(binary), "parity", "--traces", str(folder), str(case_path)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"livnd: {done.stderr.strip() or done.returncode}")
    missing = [r["missing"] for r in json.loads(done.stdout)["runs"] if "missing" in r]
    if missing:
        raise RuntimeError(f"livnd: missing: {missing[0]}")
    return trace_module().load(folder / case_path.with_suffix(".h5").name)


def run_livn(case: dict) -> tuple[Arrays, Arrays]:
    """The result of livn, and that of a start 1e-12 mV beside."""
    trace = trace_module()
    with contextlib.redirect_stderr(io.StringIO()):
        twin = {**case, "v_init": case.get("v_init", -75.0) + TWIN_MV}
        return trace.run_case(case, "native"), trace.run_case(twin, "native")
