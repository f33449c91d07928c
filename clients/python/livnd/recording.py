"""What sessions have recorded on the server: the list of it, its rows, and the files."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from livnd import checks
from livnd._proto import pb
from livnd.connection import Connection
from livnd.errors import InvalidFieldError, ServerUnavailableError, UnknownRecordingError

# What can be recorded, by the protocol's names.
KINDS = {
    "episode_starts": pb.RECORDED_KIND_EPISODE_STARTS,
    "rewards": pb.RECORDED_KIND_REWARDS,
    "actions": pb.RECORDED_KIND_ACTIONS,
    "observations": pb.RECORDED_KIND_OBSERVATIONS,
    "spikes": pb.RECORDED_KIND_SPIKES,
    "channel_events": pb.RECORDED_KIND_CHANNEL_EVENTS,
    "stimuli": pb.RECORDED_KIND_STIMULI,
    "series": pb.RECORDED_KIND_SERIES,
}
_STATES = {
    pb.RECORDING_STATE_RECORDING: "recording",
    pb.RECORDING_STATE_PAUSED: "paused",
    pb.RECORDING_STATE_COMPLETE: "complete",
    pb.RECORDING_STATE_CUT_SHORT: "cut_short",
    pb.RECORDING_STATE_ABANDONED: "abandoned",
    pb.RECORDING_STATE_DAMAGED: "damaged",
}
_TYPES = {
    pb.RECORDED_TYPE_UINT8: "<u1",
    pb.RECORDED_TYPE_INT32: "<i4",
    pb.RECORDED_TYPE_INT64: "<i8",
    pb.RECORDED_TYPE_UINT64: "<u8",
    pb.RECORDED_TYPE_FLOAT32: "<f4",
    pb.RECORDED_TYPE_FLOAT64: "<f8",
}


@dataclass(frozen=True)
class RecordingInfo:
    """A recording as Client.recordings() lists it."""

    name: str
    label: str
    state: str  # "recording", "paused", "complete", "cut_short", "abandoned" or "damaged"
    why: str  # of "cut_short" and "damaged"
    session_tag: str  # the first 8 characters of its session's name
    environment_id: str
    num_envs: int
    start_unix_s: float  # by the server's clock
    num_bytes: int  # of the file
    num_flushes: int
    num_waits: int  # operations that waited for the disk
    waited_s: float
    # Of the session's operations, since it was made or brought back: for recording, and in all.
    recording_s: float
    operations_s: float
    num_rows: dict[str, int]  # by stream, as of the last flush
    num_dropped: dict[str, int]  # by stream: rows that are missing

    @classmethod
    def from_message(cls, message: Any) -> RecordingInfo:
        return cls(
            name=message.recording,
            state=_STATES.get(message.state, "damaged"),
            num_rows={s.stream: int(s.num_rows) for s in message.streams},
            num_dropped={s.stream: int(s.num_dropped) for s in message.streams},
            **{
                name: getattr(message, name)
                for name in cls.__dataclass_fields__
                if name not in ("name", "state", "num_rows", "num_dropped")
            },
        )


@dataclass(frozen=True)
class Rows:
    """Some rows of a stream, one after the other in the recording."""

    rows: np.ndarray  # structured: a field for each column
    next_row: int  # where read() goes on
    units: dict[str, str]  # by column; "" for plain numbers
    attributes: dict[str, Any]  # of the stream
    recording_attributes: dict[str, Any]


def kinds_message(kinds: Sequence[str] | None) -> list[int]:
    """Kinds for a request; none for None."""
    if kinds is None:
        return []
    names = checks.names("kinds", kinds, "names of kinds, or None")
    return [KINDS[checks.choice(f"kinds[{i}]", name, KINDS)] for i, name in enumerate(names)]


class Recordings(Connection):
    """The verbs of a Client that read what was recorded; they need no session."""

    def recordings(self, session: str | None = None) -> list[RecordingInfo]:
        """What was recorded, and is being recorded, the latest first.

        Args:
            session: the name of a session; None: of all the caller's.
        """
        name = "" if session is None else checks.text("session", session)
        response = self.call("ListRecordings", pb.ListRecordingsRequest(session=name))
        return [RecordingInfo.from_message(m) for m in response.recordings]

    def read_recording(
        self,
        recording: str,
        streams: Sequence[str] | None = None,
        *,
        copy: int | None = None,
        episodes: tuple[int, int] | None = None,
        ticks: tuple[int, int] | None = None,
    ) -> dict[str, np.ndarray]:
        """Rows of a recording, whole streams of them, as structured arrays by the stream's name.

        The columns are those of docs/recordings.md. Of a recording that still grows, what its last
        flush left.

        Args:
            recording: its RecordingInfo.name.
            streams: which; None: all.
            copy: rows of this copy alone; as the next two, not for streams that are not told by
                copy and tick (electrodes, fibers, *.labels): where no streams are named these come
                whole.
            episodes: rows of episodes in this half-open range.
            ticks: rows of ticks in this half-open range.

        Raises:
            UnknownRecordingError, InvalidFieldError, BadRecordingError.
            ServerUnavailableError: nobody answers.
        """
        if streams is None:
            checks.text("recording", recording)
            known = [list(r.num_rows) for r in self.recordings() if r.name == recording]
            if not known:
                raise UnknownRecordingError(
                    f"there is no recording {recording!r}",
                    reason="UNKNOWN_RECORDING",
                    code="NOT_FOUND",
                    metadata={"field": "recording", "value": recording},
                )
            names = known[0]
        else:
            names = checks.names("streams", streams, "names of streams, or None")
        out = {}
        choice: dict[str, Any] = {"copy": copy, "episodes": episodes, "ticks": ticks}
        for stream in names:
            try:
                pieces = list(self.iterate_recording(recording, stream, **choice))
            except InvalidFieldError as error:
                if streams is not None or error.field != "filter":
                    raise
                pieces = list(self.iterate_recording(recording, stream))
            out[stream] = np.concatenate([piece.rows for piece in pieces])
        return out

    def iterate_recording(
        self,
        recording: str,
        stream: str,
        first_row: int = 0,
        *,
        copy: int | None = None,
        episodes: tuple[int, int] | None = None,
        ticks: tuple[int, int] | None = None,
    ) -> Iterator[Rows]:
        """The rows of one stream in pieces of about a MiB, at least one, perhaps an empty one.

        Where the line breaks it goes on after the last piece. A reader that comes again later
        begins at the last next_row.

        Args:
            recording: as read_recording.
            stream: its name.
            first_row: the first row to look at.
            copy: as read_recording.
            episodes: likewise.
            ticks: likewise.

        Raises:
            As read_recording.
        """
        request = pb.ReadRecordingRequest(
            recording=checks.text("recording", recording),
            stream=checks.text("stream", stream),
            first=checks.integer("first_row", first_row, "0 or more", 0),
        )
        if not stream:
            raise checks.wrong("stream", stream, "the name of a stream")
        if copy is not None:
            request.copy = checks.integer("copy", copy, "the number of a copy", -(2**31), 2**31)
        for name, bounds in (("episode", episodes), ("tick", ticks)):
            if bounds is not None:
                told = checks.integers(f"{name}s", bounds, "a begin and an end").tolist()
                if len(told) != 2:
                    raise checks.wrong(f"{name}s", bounds, "a begin and an end")
                setattr(request, f"begin_{name}", told[0])
                setattr(request, f"end_{name}", told[1])
        header: Any = None  # which the first answer holds
        for response in self.stream("ReadRecording", request, _go_on):
            if response.HasField("header"):
                header = response.header
            yield Rows(
                rows=np.frombuffer(response.data, dtype_of_rows(header)),
                next_row=int(response.next),
                units={column.name: column.unit for column in header.columns},
                attributes=_attributes(header.stream_attributes),
                recording_attributes=_attributes(header.attributes),
            )

    def download_recording(self, recording: str, path: str | os.PathLike[str]) -> None:
        """Copies the file of a recording that does not grow; it is HDF5.

        Args:
            recording: its RecordingInfo.name.
            path: where nothing may be.

        Raises:
            RecordingUnderWayError: it still grows.
            UnknownRecordingError, ServerUnavailableError, FileExistsError, OSError.
        """
        request = pb.ReadRecordingRequest(recording=checks.text("recording", recording))
        with open(path, "xb") as file:
            try:
                for response in self.stream("ReadRecording", request, _go_on):
                    file.write(response.data)
            except BaseException:
                with contextlib.suppress(OSError):
                    os.unlink(path)
                raise

    def delete_recording(self, recording: str, *, missing_ok: bool = False) -> None:
        """Deletes a recording that does not grow.

        Raises:
            UnknownRecordingError: there is none; unless missing_ok.
            RecordingUnderWayError: it still grows.
        """
        self.call(
            "DeleteRecording",
            pb.DeleteRecordingRequest(
                recording=checks.text("recording", recording),
                allow_missing=checks.flag("missing_ok", missing_ok),
            ),
        )


def _go_on(request: Any, response: Any) -> None:
    """What is asked for after a piece was received, should the line break."""
    request.first = response.next


def dtype_of_rows(header: Any) -> np.dtype:
    """Of the rows of a stream with such a RecordingHeader."""
    fields = []
    for column in header.columns:
        if column.type not in _TYPES:
            raise ServerUnavailableError(f"a column of an unknown type, {column.type}")
        one = np.dtype(_TYPES[column.type])
        shape = () if column.length == 1 else (column.length,)
        fields.append((column.name, one, shape))
    return np.dtype(fields)


def _attributes(messages: Any) -> dict[str, Any]:
    def value(message: Any) -> Any:
        kind = message.WhichOneof("value")
        if kind == "texts":
            return list(message.texts.texts)
        return getattr(message, kind) if kind else []

    return {message.name: value(message) for message in messages}
