"""The package's modules import each other without circles, and nothing heavy."""

from __future__ import annotations

import ast
import graphlib
import subprocess
import sys
from pathlib import Path

import livnd
import pytest

PACKAGE = Path(livnd.__file__).parent
# Installed beside it on many machines, and loaded when asked for only.
EXTRAS = ("h5py", "matplotlib", "livn", "pandas", "scipy", "torch", "stable_baselines3", "pygame")


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path: Path, modules: set[str]) -> set[str]:
    """The modules of the package that a file names in any import, one for type checkers too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            # `from package import module` means the module.
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in modules else node.module for name in names}
    return found & modules


def import_graph() -> dict[str, set[str]]:
    files = {module_name(path): path for path in PACKAGE.rglob("*.py")}
    return {name: imports_of(path, set(files)) - {name} for name, path in files.items()}


def test_no_module_imports_itself_over_others():
    order = graphlib.TopologicalSorter(import_graph())
    try:
        order.prepare()
    except graphlib.CycleError as error:
        pytest.fail(f"circular imports: {' -> '.join(error.args[1])}")


def test_nothing_but_the_dependencies_is_loaded():
    code = f"import sys, livnd; print([m for m in {EXTRAS} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"
