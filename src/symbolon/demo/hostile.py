"""Lines as they should not be: what real deliveries hold besides clean records.

Invariant: the reason a line is rejected for is known when the line is made, so a receipt can be checked against it.
`ODD` lines are only unusual and must be read like any other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from symbolon.demo.protect import BLOCK, encrypt_padded, pad, written

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

#: longer than a line may be
TOO_LONG = 102_400


class Shape(NamedTuple):
    """How IDs of one delivery look on the wire."""

    #: `visitor`, `plain`, `hash`, `aes`
    kind: str
    #: between the ID and what follows
    separator: bytes
    encoding: str = "hex"
    key: bytes = b""
    iv: bytes | None = None
    #: the digest of nothing, for hashes
    nothing: bytes = b""
    #: whether a decrypted value must be an address
    is_address: bool = False
    #: whether the lines are of a list, not of a segment file
    is_list: bool = False


def odd(shape: Shape) -> list[Callable[[bytes, bytes], bytes]]:
    """Give ways to write a good line (ID, what follows) unusually."""
    ways: list[Callable[[bytes, bytes], bytes]] = [lambda value, tail: value + shape.separator + tail + b"\r"]
    if not shape.is_list:
        ways.append(lambda value, tail: value + b" \t " + tail + b"  ")
    if shape.kind == "hash" or (shape.kind == "aes" and shape.encoding == "hex"):
        ways.append(lambda value, tail: value.upper() + shape.separator + tail)
    if shape.kind == "aes" and shape.encoding == "hex":
        ways.append(lambda value, tail: b"\\x" + value + shape.separator + tail)
        ways.append(lambda value, tail: b"0x" + value + shape.separator + tail)
    return ways


def hostile(shape: Shape, rng: np.random.Generator) -> list[tuple[str, Callable[[bytes, bytes], bytes]]]:
    """Give (reason, way to spoil a line); a way gets a good ID and what follows it."""
    sep = shape.separator
    ways: list[tuple[str, Callable[[bytes, bytes], bytes]]] = [
        ("malformed_line", lambda value, tail: value[:3] + b"\0" + value[3:] + sep + tail),
        ("malformed_line", lambda value, tail: value + sep + tail + sep + b"1" + sep + b"2"),
        ("duplicate_id", lambda value, tail: value + sep + tail),
    ]
    if not shape.is_list:
        ways += [
            ("malformed_line", lambda value, _: value),
            ("malformed_line", lambda value, tail: value + sep + tail + b",,"),
            ("malformed_line", lambda value, tail: b"\xff\xfe" + value + sep + tail),
        ]
    ways += [(reason, with_id(spoil, sep)) for reason, spoil in ID_FAULTS[shape.kind](shape, rng)]
    return ways


def with_id(spoil: Callable[[bytes], bytes], separator: bytes) -> Callable[[bytes, bytes], bytes]:
    """Make a line whose ID is spoilt."""
    return lambda value, tail: spoil(value) + separator + tail


def overlong(value: bytes, tail: bytes, separator: bytes) -> bytes:
    """Make a line that is longer than allowed: a partner's export without line ends."""
    return value + separator + tail + (b"," + tail) * (TOO_LONG // (len(tail) + 1) + 1)


def visitor_faults(_shape: Shape, _rng: np.random.Generator) -> list[tuple[str, Callable[[bytes], bytes]]]:
    """Spoil a visitor ID."""
    return [
        ("malformed_id", lambda value: value[1:]),
        ("malformed_id", lambda value: value + b"0"),
        ("malformed_id", lambda value: b"9999999999999999999" + value[19:]),
        ("malformed_id", lambda value: value[:12] + b"x" + value[13:]),
    ]


def plain_faults(_shape: Shape, _rng: np.random.Generator) -> list[tuple[str, Callable[[bytes], bytes]]]:
    """Spoil a customer number: nothing where it should be."""
    return [("malformed_id", lambda _: b"")]


def hash_faults(shape: Shape, _rng: np.random.Generator) -> list[tuple[str, Callable[[bytes], bytes]]]:
    """Spoil a digest."""
    return [
        ("malformed_id", lambda value: value[:-1]),
        ("malformed_id", lambda value: value + b"00"),
        ("malformed_id", lambda value: b"g" + value[1:]),
        ("malformed_id", lambda _: shape.nothing),
    ]


def aes_faults(shape: Shape, rng: np.random.Generator) -> list[tuple[str, Callable[[bytes], bytes]]]:
    """Spoil an encrypted value."""

    def sealed(plain: bytes) -> bytes:
        return written(encrypt_padded([plain], shape.key, shape.iv, rng), shape.encoding)[0].encode()

    cut = 1 if shape.encoding == "hex" else 3
    faults: list[tuple[str, Callable[[bytes], bytes]]] = [
        ("bad_encoding", lambda value: value[:-cut]),
        ("bad_encoding", lambda value: b"*" + value[1:]),
        # padding of zero bytes, bytes that are not UTF-8, nothing at all
        ("decrypt_failed", lambda _: sealed(rng.bytes(BLOCK - 1) + b"\0")),
        ("decrypt_failed", lambda _: sealed(pad(b"\xff\xfe" + rng.bytes(9)))),
        ("decrypt_failed", lambda _: sealed(pad(b""))),
        ("decrypt_failed", lambda _: written([rng.bytes(40)], shape.encoding)[0].encode()),
    ]
    if shape.is_address:
        faults.append(("invalid_address", lambda _: sealed(pad(b"unknown %d" % rng.integers(10**6)))))
    return faults


ID_FAULTS = {"visitor": visitor_faults, "plain": plain_faults, "hash": hash_faults, "aes": aes_faults}
