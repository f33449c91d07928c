"""A TCP port that passes bytes on, for lines that break and servers that move."""

from __future__ import annotations

import contextlib
import socket
import threading


class Relay:
    """Whatever is said at its address is said to a server, until cut().

    Attributes:
        address: "127.0.0.1:PORT".
        upstream: "HOST:PORT" to which new connections lead.
    """

    def __init__(self, upstream: str) -> None:
        self.upstream = upstream
        self._ends: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
                host, _, port = self.upstream.rpartition(":")
                far = socket.create_connection((host, int(port)))
            except OSError:
                if self._listener.fileno() < 0:
                    return
                near.close()
                continue
            self._ends += [near, far]
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                sink.sendall(data)
        self._shut(source, sink)

    @staticmethod
    def _shut(*ends: socket.socket) -> None:
        for end in ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def cut(self) -> None:
        """Breaks the connections that there are."""
        self._shut(*self._ends)
        self._ends.clear()

    def __enter__(self) -> Relay:
        return self

    def __exit__(self, *exc: object) -> None:
        self._shut(self._listener)
        self._listener.close()
        self.cut()
