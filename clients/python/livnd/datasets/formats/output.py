"""Files and folders that are there whole or not at all."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from livnd.errors import invalid_field


@contextlib.contextmanager
def new_output(out: Path, overwrite: bool) -> Iterator[Path]:
    """A path to write a file or a folder to, which becomes `out` when the block ends well.

    The folder that it is in is the caller's, for what is needed meanwhile; nothing of it is left,
    however the block ends, unless the process is killed.

    Raises:
        InvalidFieldError: something is at `out`, or no folder to put it in.
    """
    if not out.parent.is_dir():
        raise invalid_field("out", str(out), "a path in a folder that exists")
    if out.exists() and not overwrite:
        raise invalid_field("out", str(out), "a path where nothing is; or overwrite")
    folder = Path(tempfile.mkdtemp(prefix=f".{out.name}.", suffix=".part", dir=out.parent))
    try:
        made = folder / out.name
        yield made
        # As open() would have made it; mkdtemp() keeps others out.
        made.chmod((0o777 if made.is_dir() else 0o666) & ~_umask())
        if out.is_dir():  # no folder replaces another one
            os.replace(out, folder / "before")
        os.replace(made, out)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
