"""Keys: read as people write them, wrapped before they are written down."""

from symbolon.keys.errors import KeyInvalid, KeyMissing, MasterKeyError, WrapError
from symbolon.keys.parsing import parse_iv_hex, parse_key_hex
from symbolon.keys.provider import KeyProvider, LocalKeyProvider, open_provider
from symbolon.keys.secret import Secret

__all__ = [
    "KeyInvalid",
    "KeyMissing",
    "KeyProvider",
    "LocalKeyProvider",
    "MasterKeyError",
    "Secret",
    "WrapError",
    "open_provider",
    "parse_iv_hex",
    "parse_key_hex",
]
