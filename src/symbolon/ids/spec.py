"""How the IDs of one data source are read."""

from __future__ import annotations

from typing import Any

import msgspec

from symbolon.records import Encoding, Kind, Protection


class IdSpec(msgspec.Struct, frozen=True, kw_only=True):
    """How the IDs of one data source are read; holds key bytes, so it is never shown."""

    kind: Kind = Kind.DECLARED
    protection: Protection = Protection.PLAIN
    #: normalisation field: `email`, `phone`, `text` or `exact`
    field: str = "text"
    scheme: str = "adobe"
    #: region of telephone numbers without a country code
    region: str = ""
    encoding: Encoding = Encoding.HEX
    #: AES key
    key: bytes = b""
    #: the source's IV; None = an IV in front of each value
    iv: bytes | None = None
    #: whether a decrypted value must be a valid address
    is_address: bool = False

    def __repr__(self) -> str:
        """Show everything but the key and the IV."""
        return f"IdSpec({self.kind}, {self.protection}, {self.field}, key={'***' if self.key else 'none'})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Show Rich, whose tracebacks print local variables, no more than `repr` does: msgspec would show it all."""
        key = "***" if self.key else "none"
        return [("kind", self.kind), ("protection", self.protection), ("field", self.field), ("key", key)]
