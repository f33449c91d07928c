"""The package's modules import each other without circles, and nothing heavy."""

from __future__ import annotations

import ast
import fnmatch
import graphlib
import re
import subprocess
import sys
from pathlib import Path

import gymnasium
import livnd
import pytest

PACKAGE = Path(livnd.__file__).parent
PYPROJECT = PACKAGE.parent / "pyproject.toml"
# What a plain installation brings; anything heavier is loaded when asked for only.
DEPENDENCIES = {"google", "grpc", "gymnasium", "numpy"}


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
    # What the dependencies load for themselves is theirs; what comes after them is the package's.
    code = """if True:
        import sys
        import google.protobuf.message_factory, grpc, gymnasium, gymnasium.vector, numpy
        before = set(sys.modules)
        import livnd
        roots = {name.partition(".")[0] for name in set(sys.modules) - before}
        print(*sorted(roots - set(sys.stdlib_module_names)))
    """
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    loaded = set(done.stdout.split())
    assert "livnd" in loaded
    assert loaded - {"livnd"} <= DEPENDENCIES


def test_every_module_of_others_is_a_dependency():
    """At a file's top level, whether or not it happens to be loaded already."""
    allowed = DEPENDENCIES | {"livnd"} | set(sys.stdlib_module_names)
    found = set()
    for path in PACKAGE.rglob("*.py"):
        if path.parent == PACKAGE / "livn/backend":
            continue  # livn itself loads it, and nothing else does: test_livn_backend.py
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                found.add(node.module.partition(".")[0])
    assert "grpc" in found
    assert found <= allowed, found - allowed


def test_every_folder_is_packaged():
    folders = {module_name(path) for path in PACKAGE.rglob("__init__.py")}
    found = re.search(
        r"^\[tool.setuptools.packages.find\]\ninclude = (\[.*\])$", PYPROJECT.read_text(), re.M
    )
    patterns = ast.literal_eval(found.group(1))
    assert all(any(fnmatch.fnmatch(name, one) for one in patterns) for name in folders)
    # A folder without one is in no package.
    assert folders == {module_name(path.parent / "__init__.py") for path in PACKAGE.rglob("*.py")}
    # Gymnasium is told the classes' modules as text.
    for spec in gymnasium.registry.values():
        if spec.namespace == "livnd":
            assert spec.entry_point.partition(":")[0] in import_graph()
            assert spec.vector_entry_point.partition(":")[0] in import_graph()
