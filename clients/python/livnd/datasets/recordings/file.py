"""A recording of a livnd server: one HDF5 file, streams of rows."""

from __future__ import annotations

import contextlib
import io
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from livnd import extras
from livnd.datasets.recordings.stream import Stream, plain_attributes
from livnd.errors import bad_file

FORMAT = "livnd recording"
_VERSION = 1
_PURPOSE = "reading a recording"
_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_INDEX = ".index"  # of chunks: for readers that look for a span
_ACCEPTED = "a recording of a livnd server"
# Of a file that is being written.
_MAX_LOOKS = 200
_BETWEEN_LOOKS_S = 0.05
# What HDF5 makes of damage.
DAMAGE = (OSError, RuntimeError, KeyError, ValueError)


@dataclass(frozen=True)
class Lost:
    """Rows of a stream that are damaged in the file, and were left out."""

    stream: str
    begin: int
    end: int


class RecordingFile:
    """A recording, whole or not; a context manager. For one thread at a time.

        with RecordingFile("recording.h5") as recording:
            spikes = recording.streams["spikes"].read()

    A file that is still being written can be read: it is as the last flush before it was opened
    left it. So can one whose writer died.

    Args:
        path: of the file.
        salvage: leaves out what is damaged, and tells it in `lost`; otherwise that is an error.

    Attributes:
        path: of the file.
        attributes: what it says of itself, by name.
        streams: by name.
        is_closed: its writer has finished it.
        is_cut: the file is shorter than it was.
        lost: what was found to be damaged so far.

    Raises:
        FileNotFoundError: there is no such file.
        BadFileError: it is no recording, or what is damaged in it is read.
    """

    def __init__(self, path: str | os.PathLike[str], *, salvage: bool = False) -> None:
        self.path = Path(path)
        self.salvage = salvage
        self.lost: list[Lost] = []
        self._file: Any = None
        self.attributes, self.streams, self.is_closed = {}, {}, True
        self._open()
        try:
            self.is_closed = self._told().get("closed") == 1
            if self.is_closed:
                self._survey(self._file)
            else:
                self.close()
                self._look(self._survey)
        except BaseException:
            self.close()
            raise

    @property
    def tick_ns(self) -> int:
        """A tick's length, ns. BadFileError: the recording does not tell it."""
        ticks = self.attributes.get("tick_ns")
        if not isinstance(ticks, int) or ticks <= 0:
            value = "missing" if ticks is None else ticks
            raise bad_file(self.path, "attribute tick_ns", value, "ns that a tick lasts")
        return ticks

    @property
    def num_copies(self) -> int | None:
        """Of the session that was recorded, if the recording tells."""
        count = self.attributes.get("num_copies")
        return count if isinstance(count, int) and count > 0 else None

    def rows(self, name: str, begin: int, end: int) -> np.ndarray:
        """Rows of a stream as the file has them: Stream.read() is for everybody."""
        chunk = self.streams[name].chunk_rows
        try:
            return self._read(name, begin, end)
        except DAMAGE as error:
            if not self.salvage:
                text = " ".join(str(error).split()) or type(error).__name__
                accepted = "rows as they were written; salvage leaves out what is not"
                field = f"{name}[{begin}:{end}]"
                raise bad_file(self.path, field, f"damaged ({text})", accepted) from None
        kept = []
        start = begin
        while start < end:
            stop = min(end, start - start % chunk + chunk)
            try:
                kept.append(self._read(name, start, stop))
            except DAMAGE:
                self._lose(name, start, stop)
            start = stop
        return np.concatenate(kept) if kept else np.empty(0, self.streams[name].dtype)

    def close(self) -> None:
        """Closes the file; nothing can be read from it any more."""
        if self._file is not None:
            with contextlib.suppress(*DAMAGE):
                self._file.close()
            self._file = None

    def __enter__(self) -> RecordingFile:
        return self

    def __exit__(self, *args: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"RecordingFile({str(self.path)!r}: {', '.join(self.streams)})"

    # --- opening ---------------------------------------------------------------------------------

    def _open(self) -> None:
        h5py = extras.load("h5py", "data", _PURPOSE)
        if not self.path.is_file():
            raise FileNotFoundError(f"{self.path}: no such file")
        with open(self.path, "rb") as file:
            head = file.read(48)
        if not head.startswith(_SIGNATURE):
            value = "no HDF5 file" if head else "empty (0 bytes)"
            raise bad_file(self.path, "", value, _ACCEPTED)
        size, told = self.path.stat().st_size, _told_size(head)
        self.is_cut = told is not None and size < told
        if self.is_cut and not self.salvage:
            accepted = f"all of its {told} bytes; salvage takes what is left"
            raise bad_file(self.path, "", f"cut short ({size} bytes)", accepted)
        try:
            if self.is_cut:
                self._file = h5py.File(_Padded(self.path, told), "r")
            else:
                self._file = h5py.File(self.path, "r", locking=False)
        except DAMAGE as error:
            raise self._unreadable(error) from None

    def _told(self) -> dict[str, Any]:
        """What the file says of itself, when it says that it is a recording."""
        try:
            found = plain_attributes(self._file.attrs)
        except DAMAGE as error:
            raise self._unreadable(error) from None
        if found.get("format") != FORMAT:
            value = found.get("format", "missing")
            raise bad_file(self.path, "attribute format", value, FORMAT)
        if found.get("format_version") != _VERSION:
            value = found.get("format_version", "missing")
            raise bad_file(self.path, "attribute format_version", value, str(_VERSION))
        return found

    def _survey(self, file: Any) -> None:
        """Finds the streams."""
        h5py = extras.load("h5py", "data", _PURPOSE)
        self.attributes, self.streams, self.lost = self._told(), {}, []
        try:
            names = [name for name in file if not name.endswith(_INDEX)]
        except DAMAGE as error:
            raise self._unreadable(error) from None
        for name in names:
            try:
                data = file[name]
                if not isinstance(data, h5py.Dataset):
                    raise bad_file(self.path, name, "a group", "a stream")
                self.streams[name] = Stream(self, name, data)
            except DAMAGE as error:
                if not self.salvage:
                    raise self._unreadable(error, name) from None
                self._lose(name, 0, -1)

    def _unreadable(self, error: Exception, field: str = "") -> Exception:
        if isinstance(error, ValueError) and hasattr(error, "metadata"):
            return error  # a BadFileError that says it already
        text = " ".join(str(error).split()) or type(error).__name__
        return bad_file(self.path, field, f"damaged ({text})", _ACCEPTED)

    # --- reading ---------------------------------------------------------------------------------

    def _read(self, name: str, begin: int, end: int) -> np.ndarray:
        if not self.is_closed:
            return self._look(lambda file: file[name][begin:end])
        if self._file is None:
            raise bad_file(self.path, name, "closed", "an open recording")
        return self._file[name][begin:end]

    def _look(self, see: Callable[[Any], Any]) -> Any:
        """What is seen of a file that may be written meanwhile.

        What one flush left is there until the second one after it, and rows stay what they were:
        who was faster has seen right, and who was not looks again.
        """
        for _ in range(_MAX_LOOKS):
            error: Exception | None = None
            seen, before = None, None
            try:
                self._open()
                before = self._file.attrs["num_flushes"]
                seen = see(self._file)
            except DAMAGE as found:
                error = found
            try:
                self.close()
                self._open()
                after = self._file.attrs["num_flushes"]
            except DAMAGE as found:
                after, error = None, error or found
            finally:
                self.close()
            if error is None and after <= before + 1:
                return seen
            if error is not None and (before is None or before == after):
                time.sleep(_BETWEEN_LOOKS_S)
                if self._flushes() == after:  # nobody writes: that is how it is
                    raise error
        accepted = "one that is written more slowly, or no more"
        raise bad_file(self.path, "", "changing faster than it is read", accepted)

    def _flushes(self) -> int | None:
        try:
            self._open()
            return int(self._file.attrs["num_flushes"])
        except DAMAGE:
            return None
        finally:
            self.close()

    def _lose(self, stream: str, begin: int, end: int) -> None:
        lost = Lost(stream, begin, end)
        if lost not in self.lost:
            self.lost.append(lost)


def _told_size(head: bytes) -> int | None:
    """The size that the superblock of a recording tells (version 2: 8 bytes at 28)."""
    if len(head) < 48 or head[8] != 2 or head[9] != 8:
        return None
    return int.from_bytes(head[28:36], "little")


class _Padded(io.RawIOBase):
    """A file that was cut short, with zeros where its end was: HDF5 opens no shorter one."""

    def __init__(self, path: Path, size: int) -> None:
        super().__init__()
        self._file, self._size, self._at = io.FileIO(path), size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = base + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        count = max(0, min(len(view), self._size - self._at))
        self._file.seek(self._at)
        data = self._file.read(count)
        view[: len(data)] = data
        view[len(data) : count] = bytes(count - len(data))
        self._at += count
        return count

    def close(self) -> None:
        self._file.close()
        super().close()
