"""A Unix socket before a server's on which bytes come a few at a time."""

from __future__ import annotations

import contextlib
import socket
import threading
import time


class SlowLine:
    """Passes bytes on, `chunk` of them every `pause_s`, in both directions.

    Attributes:
        address: "unix:PATH".
    """

    def __init__(self, path: str, upstream: str, chunk: int, pause_s: float) -> None:
        self.address = f"unix:{path}"
        self._upstream, self._chunk, self._pause_s = upstream, chunk, pause_s
        self._ends: list[socket.socket] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(path)
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.socket(socket.AF_UNIX)
                far.connect(self._upstream.removeprefix("unix:"))
                self._ends += [near, far]
                for source, sink in ((near, far), (far, near)):
                    # Little is under way, so that who writes has to wait.
                    source.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                    threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(self._chunk):
                sink.sendall(data)
                time.sleep(self._pause_s)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        for end in (self._listener, *self._ends):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
