"""Changes bytes of a file of a data set, again and again, and reads all that is left of it.

    scrambled_files.py FILE DRAWS

Prints how many draws were refused; anything but a BadFileError or finite values ends it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from livnd.datasets import open_files
from livnd.errors import BadFileError


def check(value: object) -> None:
    """Numbers are finite, down to the last list."""
    if isinstance(value, list):
        for one in value:
            check(one)
    elif isinstance(value, (np.ndarray, float)):
        assert np.isfinite(value).all()


def main() -> None:
    """Runs the draws."""
    path, draws = Path(sys.argv[1]), int(sys.argv[2])
    whole = path.read_bytes()
    rng = np.random.default_rng(1)
    refused = 0
    for _ in range(draws):
        data = bytearray(whole)
        for _ in range(rng.integers(1, 8)):
            start = rng.integers(len(data))
            count = int(rng.choice([1, 1, 1, 4, 8]))
            values = rng.choice([0, 1, 127, 128, 255, int(rng.integers(256))], count)
            data[start : start + count] = bytes(values.astype(np.uint8))
        # Never over a file that is mapped.
        scrambled = path.with_suffix(".scrambled")
        scrambled.unlink(missing_ok=True)
        scrambled.write_bytes(data)
        try:
            for row in open_files(scrambled):
                for name in row:
                    check(row[name])
        except BadFileError as error:
            assert error.file == str(scrambled)
            refused += 1
    print(json.dumps({"draws": draws, "refused": refused}))


if __name__ == "__main__":
    main()
