"""A relay on loopback that cuts connections where a test says: what a broken line looks like to both sides."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading


class Relay:
    """Passes bytes to another port.

    Args:
        port: where to.
    """

    def __init__(self, port: int) -> None:
        self._to = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        #: for each of the next connections that carry this much: bytes from or to the server, after which it is cut
        self.cuts: list[int] = []
        #: bytes from the server, and to it
        self.received = 0
        self.sent = 0
        self._lock = threading.Lock()
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(("127.0.0.1", self._to))
                passed = [0]
                for source, target, counts in ((near, far, False), (far, near, True)):
                    threading.Thread(target=self._pass, args=(source, target, passed, counts), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket, passed: list[int], from_server: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                with self._lock:
                    passed[0] += len(data)
                    if from_server:
                        self.received += len(data)
                    else:
                        self.sent += len(data)
                    is_cut = bool(self.cuts) and passed[0] >= self.cuts[0]
                    if is_cut:
                        self.cuts.pop(0)
                if is_cut:
                    break
                target.sendall(data)
        for one in (source, target):
            with contextlib.suppress(OSError):
                # reset, so that nobody takes it for the end of what was sent
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                one.shutdown(socket.SHUT_RDWR)
            one.close()
