"""One gRPC stream of steps, from its opening to its end."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import grpc

from livnd.errors import LivndError, ServerUnavailableError, from_rpc_error
from livnd.line import Line


@dataclass(frozen=True)
class End:
    """What the wire says last."""

    error: LivndError


class StepWire:
    """One stream of gRPC. A thread of its own reads it, so that waiting for it can end in time.

    Attributes:
        line: over which it goes.
        metadata: with which it was opened.
        requests: messages to send.
        events: answers, as messages, and then an End.
    """

    def __init__(self, line: Line) -> None:
        self.line, self.metadata = line, line.metadata
        self.requests: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self.events: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.finalizer: Any = None
        self._pid = os.getpid()
        requests = iter(self.requests.get, None)
        self._call = line.open_stream("StepStream", requests, self.metadata)
        threading.Thread(
            target=_read, args=(self._call, self.events), name="livnd-stream", daemon=True
        ).start()

    def close(self) -> None:
        """Drops what is on its way. Nothing in a fork."""
        if os.getpid() == self._pid:
            self.requests.put(None)
            self._call.cancel()


def _read(call: Iterable[Any], events: queue.SimpleQueue[Any]) -> None:
    try:
        for message in call:
            events.put(message)
        events.put(End(lost("the server has ended the stream")))
    except grpc.RpcError as error:
        told = from_rpc_error(error, "Step")
        # Nobody here has cancelled it who still listens: the line was opened anew, or the server is
        # about to go.
        events.put(End(lost("the stream was cut off") if told.code == "CANCELLED" else told))
    except Exception as error:  # whoever waits has to know
        events.put(End(lost(str(error))))


def lost(why: str) -> LivndError:
    """Of the transport: what was sent may be done."""
    error = ServerUnavailableError(f"Step: {why}", code="UNAVAILABLE")
    error.in_doubt = True
    return error
