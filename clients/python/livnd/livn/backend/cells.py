"""The cells of a culture on a server."""

from __future__ import annotations

from typing import Any

from livn.types import Cell


class ServerCell(Cell):
    """One cell."""

    def __init__(self, env: Any, population: str, gid: int, sections: tuple[str, ...]) -> None:
        super().__init__(env, population, gid)
        self._sections = sections

    @property
    def section_names(self) -> list[str]:
        return list(self._sections)
