"""What a package costs before it does anything: a worker of bench.py.

    footprint.py IMPORT DISTRIBUTION...

The command `import` answers seconds of `count` fresh processes that import IMPORT; `size` the bytes
of the files of the distributions and of all that they require, extras aside.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from worker import serve_commands


def closure(names: list[str]) -> set[str]:
    """The distributions, and what they require on this machine, as far as it is installed."""
    found: set[str] = set()
    wanted = list(names)
    while wanted:
        name = re.sub(r"[-_.]+", "-", wanted.pop()).lower()
        if name in found:
            continue
        try:
            required = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue  # for another system or Python
        found.add(name)
        for line in required:
            if "extra ==" not in line:
                wanted.append(re.match(r"[\w.-]+", line).group())
    return found


def num_bytes(name: str) -> int:
    """Of the files of a distribution."""
    files = metadata.files(name) or []
    paths = [Path(file.locate()) for file in files]
    return sum(path.stat().st_size for path in paths if path.is_file())


def main() -> None:
    """Answers commands until the input ends."""
    imported, *names = sys.argv[1:]

    def seconds(request: dict[str, Any]) -> dict[str, Any]:
        told = []
        for _ in range(request["count"]):
            start = time.perf_counter()
            subprocess.run([sys.executable, "-W", "ignore", "-c", imported], check=True)
            told.append(time.perf_counter() - start)
        return {"s": told}

    def size(_: dict[str, Any]) -> dict[str, Any]:
        found = closure(names)
        return {"bytes": sum(map(num_bytes, found)), "distributions": sorted(found)}

    serve_commands({}, {"import": seconds, "size": size})


if __name__ == "__main__":
    main()
