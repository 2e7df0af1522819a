"""A data source: a declared namespace of IDs and how they are read.

Source of the fields: Adobe Campaign Standard, "Shared Data Sources" (label, reconciliation process, reconciliation key,
algorithm, channel, priority, terms). Key and IV are never part of this value: they are wrapped and kept by version.
"""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - msgspec reads the annotation at run time
from enum import StrEnum

import msgspec


class Kind(StrEnum):
    """What the IDs of a source name."""

    VISITOR = "visitor"  #: a browser: 38 decimal digits
    DECLARED = "declared"  #: a person: a value somebody declared


class Protection(StrEnum):
    """How a declared ID is protected on the wire."""

    PLAIN = "plain"
    MD5 = "md5"
    SHA1 = "sha1"
    SHA256 = "sha256"
    SHA384 = "sha384"
    SHA512 = "sha512"
    AES_CBC = "aes-cbc"

    @property
    def is_hash(self) -> bool:
        """Whether the ID on the wire is a digest."""
        return self not in (Protection.PLAIN, Protection.AES_CBC)

    @property
    def match_algorithm(self) -> str:
        """The digest algorithm of the match key: a hash is its own, everything else is digested with SHA-256."""
        return self.value if self.is_hash else Protection.SHA256.value


class Encoding(StrEnum):
    """How the bytes of an encrypted ID are written."""

    HEX = "hex"  #: with or without `\\x` or `0x`, either case
    BASE64 = "base64"  #: standard alphabet, padded


class Channel(StrEnum):
    """What an encrypted ID can be used for once it is decrypted."""

    EMAIL = "email"
    SMS = "sms"
    OTHER = "other"  #: never decrypted to an address; reconciled by key

    @property
    def is_address(self) -> bool:
        """Whether a decrypted value is an address that a message can be sent to."""
        return self is not Channel.OTHER


class OnAmbiguous(StrEnum):
    """What becomes of an ID that several profiles share."""

    ALL = "all"  #: every one of them becomes a member, and is counted
    REJECT = "reject"  #: none does; the ID is unmatched as `ambiguous_id`


class DataSource(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A declared namespace of IDs. Validated by the use case that saves it, not here."""

    #: identifier inside the project, given when first saved; 0 = not saved yet
    id: int = 0
    #: unique name: letters, digits, `-`, `_`, `.`
    name: str
    kind: Kind = Kind.DECLARED
    #: reconciliation key: the profile field that is compared; empty for a visitor source
    key: str = ""
    protection: Protection = Protection.PLAIN
    channel: Channel = Channel.OTHER
    #: numeric id on the wire (DPID); None = none
    dpid: int | None = None
    #: the higher number is tried first, then the lower id
    priority: int = 0
    encoding: Encoding = Encoding.HEX
    #: whether each encrypted value carries its own IV in its first 16 bytes
    iv_prefixed: bool = False
    #: normalisation scheme
    scheme: str = "adobe"
    #: region of telephone numbers without a country code, ISO 3166; empty = the project's
    region: str = ""
    on_ambiguous: OnAmbiguous = OnAmbiguous.ALL
    #: unit of a 13-digit timestamp in file names: `milliseconds`, or `seconds` (10 digits and a split number)
    timestamp: str = "milliseconds"
    #: the legal terms of this source, a text or a link; empty = none
    terms: str = ""
    terms_accepted_at: datetime | None = None
    terms_accepted_by: str = ""
    #: version of the key in use; 0 = the source has none
    key_version: int = 0
    created: datetime | None = None
    modified: datetime | None = None
