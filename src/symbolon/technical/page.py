"""`/metrics` and `/health` over HTTP, on this machine only unless asked otherwise.

Invariant: a connection ends after a few seconds, whatever its other side does, and there are never more threads than a
small number; no fault reaches the standard error, and none is answered with more than its code.
"""

from __future__ import annotations

import errno
import logging
import os
import socket
import threading
import time
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

import msgspec
from prometheus_client import make_wsgi_app

from symbolon.technical.errors import AddressUnusable
from symbolon.technical.health import HealthState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from prometheus_client import CollectorRegistry

    from symbolon.technical.health import HealthItem

log = logging.getLogger(__name__)

#: a connection is ended after so many seconds
TIMEOUT_S = 10.0
#: requests that are answered at once; more are turned away
AT_ONCE = 16


class _Server(ThreadingMixIn, WSGIServer):
    """Answers each connection in a thread of its own, as long as there are few of them."""

    daemon_threads = True
    block_on_close = False
    timeout_s = TIMEOUT_S

    def __init__(self, address: tuple[str, int], family: socket.AddressFamily) -> None:
        self.address_family = family
        self._free = threading.BoundedSemaphore(AT_ONCE)
        self._ends: dict[Any, float] = {}
        super().__init__(address, _Quiet)

    def server_bind(self) -> None:
        """Bind without asking a name server who we are."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = "localhost", int(self.server_address[1])
        self.setup_environ()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread; turn away what is too much."""
        if not self._free.acquire(blocking=False):
            self.shutdown_request(request)
            return
        self._ends[request] = time.monotonic() + self.timeout_s
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer one connection, then let the next one in."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._ends.pop(request, None)
            self._free.release()

    def service_actions(self) -> None:
        """End the connections whose time is over; called by the server twice a second."""
        for request, end in list(self._ends.items()):
            if end < time.monotonic():
                try:
                    request.shutdown(socket.SHUT_RDWR)
                except OSError:  # it has ended since
                    self._ends.pop(request, None)

    def handle_error(self, *_given: Any) -> None:
        """Say nothing: a connection that breaks is its own affair."""


class _Quiet(WSGIRequestHandler):
    timeout = TIMEOUT_S

    def log_message(self, *_args: Any) -> None:
        """Log nothing: a scrape every few seconds is no news."""


class Page:
    """Serves health and metrics in a thread of its own.

    Args:
        registry: the metrics.
        items: gives the health, anew at each request.
        host: the address to listen on, IPv4 or IPv6.
        port: 0 = any that is free.

    Raises:
        AddressUnusable: the host is unknown or of another machine, or the port is taken or kept for the system.
    """

    def __init__(
        self, registry: CollectorRegistry, items: Callable[[], list[HealthItem]], *, host: str, port: int
    ) -> None:
        metrics: Any = make_wsgi_app(registry)

        def answer(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
            path = environ.get("PATH_INFO", "")
            if environ.get("REQUEST_METHOD") not in ("GET", "HEAD"):
                start("405 Method Not Allowed", [("Allow", "GET, HEAD")])
                return [b""]
            if path not in ("/metrics", "/health"):
                start("404 Not Found", [("Content-Type", "text/plain; charset=utf-8")])
                return [b"/health, /metrics\n"]
            try:
                if path == "/metrics":
                    return metrics(environ, start)  # type: ignore[no-any-return]
                found = items()
            except Exception as error:  # noqa: BLE001 - whatever fails, the one who asks has to know that it does
                code = getattr(error, "code", type(error).__name__)
                log.warning("page.failed: %s, %s", path, code)
                return _told(start, {"ok": False, "error": code, "items": []}, failed=True)
            failed = any(item.state is HealthState.FAIL for item in found)
            return _told(start, {"ok": not failed, "items": found}, failed=failed)

        self._server = _listening(host, port)
        self._server.set_app(answer)
        #: the port that is listened on
        self.port = int(self._server.server_address[1])
        #: where it answers
        self.url = f"http://{f'[{host}]' if ':' in host else host}:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, name="page", daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def close(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()


def _told(start: Any, body: dict[str, Any], *, failed: bool) -> list[bytes]:
    status = "503 Service Unavailable" if failed else "200 OK"
    start(status, [("Content-Type", "application/json"), ("Cache-Control", "no-store")])
    return [msgspec.json.encode(body)]


def _listening(host: str, port: int) -> _Server:
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        return _Server((str(address[0]), port), family)
    except (socket.gaierror, UnicodeError):
        raise AddressUnusable(
            f"there is no address `{host}`", hint="--host 127.0.0.1 for this machine, 0.0.0.0 or :: for all"
        ) from None
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise AddressUnusable(
                f"port {port} of {host} is taken by another process", hint="choose another one: --port 0 takes any free"
            ) from None
        if error.errno == errno.EACCES:
            raise AddressUnusable(
                f"port {port} is kept for the system", hint="choose a port of 1024 or more: --port 8765"
            ) from None
        told = os.strerror(error.errno) if error.errno else type(error).__name__
        raise AddressUnusable(
            f"{host} cannot be listened on: {told}", hint="--host names an address of this machine: 127.0.0.1"
        ) from None
