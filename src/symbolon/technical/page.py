"""`/metrics` and `/health` over HTTP, on this machine only unless asked otherwise."""

from __future__ import annotations

import socketserver
import threading
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import msgspec
from prometheus_client import make_wsgi_app

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


class Page:
    """Serves health and metrics in a thread of its own.

    Args:
        registry: the metrics.
        items: gives the health, anew at each request.
        host: the address to listen on.
        port: 0 = any that is free.
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

        self._server = make_server(host, port, answer, server_class=_Server, handler_class=_Quiet)
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
