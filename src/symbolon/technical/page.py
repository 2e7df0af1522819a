"""`/metrics` and `/health` over HTTP, on this machine only unless asked otherwise."""

from __future__ import annotations

import errno
import socketserver
import threading
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import msgspec
from prometheus_client import make_wsgi_app

from symbolon.technical.errors import AddressRefused
from symbolon.technical.health import HealthState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from prometheus_client import CollectorRegistry

    from symbolon.technical.health import HealthItem


class _Server(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_args: Any) -> None:
        """Log nothing: a scrape every few seconds is no news."""


def _not_listening(host: str, port: int, error: OSError) -> AddressRefused:
    """Say why, and what else could be done."""
    if error.errno == errno.EADDRINUSE:
        return AddressRefused(
            f"port {port} of {host} is taken: something else listens there, perhaps another `symbolon serve`",
            hint="end that, or choose another port: --port 8766; --port 0 takes any that is free",
        )
    if error.errno == errno.EACCES:
        return AddressRefused(
            f"the system does not let you listen on port {port}", hint="choose a port above 1023: --port 8765"
        )
    reason = error.strerror or type(error).__name__
    return AddressRefused(
        f"this machine cannot listen on `{host}`, port {port}: {reason}",
        hint="--host takes an address of this machine: 127.0.0.1, or 0.0.0.0 for all",
    )


class Page:
    """Serves health and metrics in a thread of its own.

    Args:
        registry: the metrics.
        items: gives the health, anew at each request.
        host: the address to listen on.
        port: 0 = any that is free.

    Raises:
        AddressRefused: it cannot be listened there.
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
            if path == "/metrics":
                return metrics(environ, start)  # type: ignore[no-any-return]
            if path != "/health":
                start("404 Not Found", [("Content-Type", "text/plain; charset=utf-8")])
                return [b"/health, /metrics\n"]
            found = items()
            failed = any(item.state is HealthState.FAIL for item in found)
            status = "503 Service Unavailable" if failed else "200 OK"
            start(status, [("Content-Type", "application/json"), ("Cache-Control", "no-store")])
            return [msgspec.json.encode({"ok": not failed, "items": found})]

        try:
            self._server = make_server(host, port, answer, server_class=_Server, handler_class=_Quiet)
        except OSError as error:
            raise _not_listening(host, port, error) from error
        #: the port that is listened on
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, name="page", daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def close(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()
