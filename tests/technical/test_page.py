# ruff: noqa: S310 - addresses of our own
"""Health and metrics over HTTP: clear faults of the address, codes where the store fails, and no thread without end."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import urllib.error
import urllib.request

import pytest
from prometheus_client import CollectorRegistry

from symbolon.errors import SymbolonError
from symbolon.store import StoreConflict
from symbolon.technical import HealthItem, page
from symbolon.technical.errors import AddressUnusable


def page_at(host: str = "127.0.0.1", port: int = 0, items=list) -> page.Page:
    return page.Page(CollectorRegistry(), items, host=host, port=port)


@pytest.fixture
def started():
    pages = []

    def start(*given, **further) -> page.Page:
        pages.append(page_at(*given, **further))
        pages[-1].start()
        return pages[-1]

    yield start
    for one in pages:
        one.close()


@pytest.mark.parametrize(
    ("host", "told"), [("no such host", "there is no address"), ("192.0.2.1", "cannot be listened on")]
)
def test_a_host_that_cannot_be_listened_on(host: str, told: str) -> None:
    with pytest.raises(AddressUnusable, match=told) as caught:
        page_at(host)
    assert caught.value.hint


def test_a_port_that_is_taken(started) -> None:
    first = started()
    with pytest.raises(AddressUnusable, match="taken") as caught:
        page_at(port=first.port)
    assert "--port" in caught.value.hint


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 here")
def test_ipv6(started) -> None:
    try:
        one = started("::1")
    except SymbolonError:
        pytest.skip("no IPv6 here")
    assert one.url.startswith("http://[::1]:")
    with urllib.request.urlopen(f"{one.url}/health") as answer:
        assert json.load(answer) == {"ok": True, "items": []}


def test_a_fault_of_the_store_is_told_by_its_code(started, capfd: pytest.CaptureFixture[str]) -> None:
    def broken() -> list[HealthItem]:
        raise StoreConflict("no")

    one = started(items=broken)
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"{one.url}/health")
    assert (caught.value.code, json.load(caught.value)["error"]) == (503, "conflict.store")
    assert "Traceback" not in capfd.readouterr().err


def test_threads_are_bounded_and_connections_end(started, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page._Server, "timeout_s", 0.0)
    one = started()
    before = threading.active_count()
    halves = [socket.create_connection(("127.0.0.1", one.port)) for _ in range(3 * page.AT_ONCE)]
    try:
        for half in halves:
            half.sendall(b"GET /health HTTP/1.1\r\nX: ")
        assert threading.active_count() <= before + page.AT_ONCE
        for half in halves:
            half.settimeout(30)
            with contextlib.suppress(ConnectionResetError):
                half.recv(1000)  # an end, or a refusal: in any case no wait
    finally:
        for half in halves:
            half.close()
