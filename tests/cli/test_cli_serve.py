"""`symbolon serve` where it cannot listen."""

from __future__ import annotations

import socket

import pytest


def test_a_port_that_is_taken_is_told_with_its_mend(shop, cli) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        refused = cli("serve", "--port", str(port))
    assert refused.code == 2
    assert refused.err.startswith(f"error[serve.address]: port {port} of 127.0.0.1 is taken")
    assert "--port 0" in refused.err


@pytest.mark.parametrize("host", ["192.0.2.1", "no such host"])
def test_an_address_of_somebody_else_is_told(shop, cli, host) -> None:
    refused = cli("serve", "--host", host, "--port", "0")
    assert (refused.code, "error[serve.address]" in refused.err, "--host" in refused.err) == (2, True, True)
