r"""Keys and IVs as people write them.

Source: Adobe Campaign's functions take hexadecimal with `\\x` in front. Its page says that key and IV have 16, 24 or 32
characters, which is wrong: those are bytes; AES has keys of 32, 48 or 64 digits and always an IV of 32.
"""

from __future__ import annotations

import re

from symbolon.keys.errors import KeyInvalid

_KEY_DIGITS = (32, 48, 64)
_IV_DIGITS = (32,)


def parse_key_hex(text: str) -> bytes:
    """Read an AES key of 128, 192 or 256 bits in hexadecimal.

    Raises:
        KeyInvalid: another length, or other characters.
    """
    return _parse(text, "an AES key", _KEY_DIGITS)


def parse_iv_hex(text: str) -> bytes:
    """Read an IV of 16 bytes in hexadecimal.

    Raises:
        KeyInvalid: another length, or other characters.
    """
    return _parse(text, "an IV", _IV_DIGITS)


def _parse(text: str, noun: str, digits: tuple[int, ...]) -> bytes:
    bare = re.sub(r"^(\\x|0x)", "", text.strip(), flags=re.IGNORECASE)
    wanted = " or ".join(str(number) for number in digits)
    if not re.fullmatch("[0-9a-fA-F]*", bare):
        raise KeyInvalid(f"{noun} is written in hexadecimal: this one has other characters", hint=f"{wanted} digits")
    if len(bare) not in digits:
        raise KeyInvalid(f"{noun} has {wanted} hexadecimal digits, not {len(bare)}", hint="two digits are one byte")
    return bytes.fromhex(bare)
