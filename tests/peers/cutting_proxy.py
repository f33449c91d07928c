"""A socket between a client and a real server that breaks connections with answers on their way."""

from __future__ import annotations

import contextlib
import socket
import threading

# Types of HTTP/2 frames that carry a part of an answer: DATA and HEADERS. Others are settings and
# acknowledgements.
_ANSWERS = (0, 1)


def _first_frame(data: bytes) -> bytes:
    """The HTTP/2 frame that begins the data, or b"" while it is not complete."""
    length = 9 + int.from_bytes(data[:3], "big")
    return data[:length] if len(data) >= max(9, length) else b""


class CuttingProxy:
    """A Unix socket before the server's.

    Attributes:
        address: "unix:PATH".
        lose_answer: swallow the next answer and cut the connection that it would have come by.
        cut_after_bytes: cut the connection that brings answers once so many bytes have come; None
            for never.
    """

    def __init__(self, folder: str, upstream: str) -> None:
        self.address = f"unix:{folder}/proxy.sock"
        self.lose_answer = False
        self.cut_after_bytes: int | None = None
        self._upstream = upstream.removeprefix("unix:")
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self.address.removeprefix("unix:"))
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.socket(socket.AF_UNIX)
            far.connect(self._upstream)
            self._pairs.append((near, far))
            for source, sink, answers in ((near, far, False), (far, near, True)):
                threading.Thread(
                    target=self._pump, args=(source, sink, answers), daemon=True
                ).start()

    def _pump(self, source: socket.socket, sink: socket.socket, answers: bool) -> None:
        pending = b""
        try:
            while data := source.recv(1 << 16):
                if not answers:
                    sink.sendall(data)
                    continue
                pending += data
                while frame := _first_frame(pending):
                    if self.lose_answer and frame[3] in _ANSWERS:
                        self.lose_answer = False
                        raise ConnectionAbortedError
                    if self.cut_after_bytes is not None:
                        self.cut_after_bytes -= len(frame)
                        if self.cut_after_bytes < 0:
                            self.cut_after_bytes = None
                            raise ConnectionAbortedError
                    sink.sendall(frame)
                    pending = pending[len(frame) :]
        except OSError:
            pass
        self._shut(source, sink)

    @staticmethod
    def _shut(*ends: socket.socket) -> None:
        for end in ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._shut(self._listener)
        self._listener.close()
        for pair in self._pairs:
            self._shut(*pair)
