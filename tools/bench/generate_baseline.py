"""livn's generator of cultures, for group `generate`: what `livnd generate` is compared with.

    generate_baseline.py SETTINGS.json

Prints the seconds that livn 2.0.0 takes to make such a culture and its number of connections. What
it would write to HDF5 is dropped: neuroh5, which writes it, is on no registry.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))
from livn_source import Written, generator


class Counted(Written):
    """Keeps how many connections there are."""

    def __init__(self) -> None:
        super().__init__()
        self.num_edges = 0

    def take_cells(self, population: str, namespace: str, cells: object) -> None:
        pass

    def take_edges(self, pre: str, post: str, edges: dict) -> None:
        self.num_edges += sum(len(sources) for sources, _ in edges.values())


def main() -> None:
    """Makes the culture of the settings."""
    settings = json.loads(Path(sys.argv[1]).read_text())
    counted = Counted()
    with tempfile.TemporaryDirectory() as folder:
        culture = generator(counted).Generate2DSystem(**settings, output_directory=folder)
        begin = time.perf_counter()
        culture()
        seconds = time.perf_counter() - begin
    print(json.dumps({"seconds": seconds, "edges": counted.num_edges}))


if __name__ == "__main__":
    main()
