"""Files of the project as tests use them: programs on pages, modules by their paths."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]


def programs_of(page: str, language: str = "python") -> list[str]:
    """The programs of a page, in their order; its path is from the project's root."""
    text = (ROOT / page).read_text()
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def load(path: str) -> ModuleType:
    """A module by its file, from the project's root; each time anew."""
    spec = importlib.util.spec_from_file_location(Path(path).stem, ROOT / path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
