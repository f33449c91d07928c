"""livn's own settings of systems, as its source distribution has them, are read as they are."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from livn_source import livn_source

ROOT = Path(__file__).resolve().parents[2]
PRINT = ROOT / "bazel-bin/tests/generate/print_yaml"


def read(path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([PRINT, path], capture_output=True, text=True, check=False, timeout=60)


class Loader(yaml.SafeLoader):
    """PyYAML's, with includes."""


def include(loader: Loader, node: yaml.ScalarNode) -> Any:
    return load(Path(loader.name).parent / node.value)


Loader.add_constructor("!include", include)


def load(path: Path) -> Any:
    with path.open() as file:
        return as_json(yaml.load(file, Loader))


def as_json(value: Any) -> Any:
    """With keys that are text, as those of JSON are."""
    if isinstance(value, dict):
        return {str(key): as_json(one) for key, one in value.items()}
    return [as_json(one) for one in value] if isinstance(value, list) else value


def config() -> Path:
    return livn_source() / "systems/config"


def test_all_files_mean_what_pyyaml_makes_of_them() -> None:
    paths = [p for p in sorted(config().rglob("*.yml")) if p.name != "CA1.yml"]
    assert len(paths) > 20
    for path in paths:
        done = read(path)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout) == load(path), path
    assert (
        "density" in json.loads(read(config() / "S1.yml").stdout)["Cell Types"]["EXC"]["synapses"]
    )


def test_a_file_that_livn_lacks_is_told(tmp_path: Path) -> None:
    """livn's CA1.yml includes _synapses_C5.yml, which nobody has."""
    assert not (config() / "_synapses_C5.yml").exists()
    done = read(config() / "CA1.yml")
    assert done.returncode == 1
    assert "CA1.yml:196 is !include _synapses_C5.yml (No such file or directory)" in done.stderr
    folder = tmp_path / "config"
    shutil.copytree(config(), folder)
    shutil.copy(folder / "_synapses_CA1.yml", folder / "_synapses_C5.yml")
    done = read(folder / "CA1.yml")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == load(folder / "CA1.yml")


@pytest.mark.parametrize("name", ["../_definitions.yml", "/etc/hostname"])
def test_no_file_elsewhere(name: str, tmp_path: Path) -> None:
    (tmp_path / "S1.yml").write_text(f"Definitions: !include {name}\n")
    done = read(tmp_path / "S1.yml")
    assert done.returncode == 1
    assert "the relative path of a file in the same folder or below it" in done.stderr
