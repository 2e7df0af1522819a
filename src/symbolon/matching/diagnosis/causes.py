"""What a reading means for a data source: in words, and as the definition of a data source that would have matched.

Invariant: a definition is given only where importing with it really matches; everything else is the sender's to mend.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from symbolon.ids import field_for
from symbolon.matching.diagnosis.forms import BASE
from symbolon.records import Channel, DataSource, Encoding, Kind, OnAmbiguous, Protection

if TYPE_CHECKING:
    from symbolon.matching.diagnosis.sample import Reading, Seal, Target


@dataclass(frozen=True, slots=True)
class Cause:
    """One thing that is not as the data source says."""

    #: stable name of the fault: `algorithm`, `scheme`, `old_key`, ...
    code: str
    #: a clause: `they are md5 digests, not sha256`
    words: str


@dataclass(frozen=True, slots=True)
class Fitting:
    """A data source that would have matched."""

    source: DataSource
    #: whose key it needs, where that is not its own current one: a name for a person; empty = no other key
    key_of: str = ""
    #: the data source that has this key, if it is a current one
    holder: str = ""


#: form of a value -> (fault, clause)
_FORMS = {
    "as_typed": ("not_normalised", "the sender hashed the values as they were typed, with their spaces and capitals"),
    "case_kept": ("case", "the sender hashed the values without writing them in lower case first"),
    "spaces_kept": ("untrimmed", "the sender hashed the values with the spaces around them"),
    "upper": ("case", "the sender hashed the values in upper case"),
    "lower": ("case", "the sender wrote the values in lower case, and the profiles have capitals"),
    "newline": ("untrimmed", "the sender hashed the values with a line end behind them"),
    "crlf": ("untrimmed", "the sender hashed the values with a line end (CR LF) behind them"),
    "space_after": ("untrimmed", "the sender hashed the values with a space behind them"),
    "space_before": ("untrimmed", "the sender hashed the values with a space in front of them"),
    "quoted": ("untrimmed", "the sender hashed the values with quotation marks around them"),
    "utf16": ("utf16", "the sender hashed the values as UTF-16 (NVARCHAR), not as UTF-8"),
    "no_plus": ("no_plus", "the sender left the + of the telephone numbers out before hashing"),
    "zeros_for_plus": ("no_plus", "the sender wrote 00 for the + of the telephone numbers before hashing"),
    "national": ("national", "the sender hashed national telephone numbers, 0 in place of + and country code"),
    "significant": ("national", "the sender hashed telephone numbers without + and country code"),
    "no_zeros": ("leading_zeros", "leading zeros were lost on the way"),
}
_WRITINGS = {
    "base64": ("base64", "they are written as base64"),
    "base64_of_hex": ("base64_of_hex", "they are base64 of hexadecimal digits"),
    "hex_of_hex": ("hex_of_hex", "they were turned into hexadecimal twice"),
    "hex": ("hex", "they are written as hexadecimal"),
    "percent": ("percent", "they are percent-encoded, as in a web address"),
}
#: what an expectation of a data source writes
_EXPECTED = {"digest": "hex", "plain": "text", "visitor": "text"}


def causes(source: DataSource, reading: Reading, target: Target) -> list[Cause]:
    """Give everything that is not as `source` says; nothing = it would match as it is."""
    found = [*_content(source, reading, target), *_writing(source, reading), *_sealing(source, reading)]
    if reading.wrapped:
        found.append(Cause("wrapped", "spaces, quotation marks or a byte order mark stand around them"))
    if reading.zeros:
        found.append(Cause("leading_zeros", "their leading zeros were lost on the way"))
    if reading.change == "plus":
        found.append(Cause("no_plus", "the + of the telephone numbers is missing"))
    elif reading.change and target.form == BASE:
        region = reading.change.removeprefix("region:")
        found.append(Cause("national", f"they are national telephone numbers of region {region}"))
    if target.field and source.key and target.field != source.key:
        found.append(Cause("other_field", f"they belong to profile field `{target.field}`, not to `{source.key}`"))
    elif target.field and not source.key and reading.content != "visitor":
        found.append(Cause("field", f"they belong to profile field `{target.field}`"))
    return found + _form(source, target)


def _content(source: DataSource, reading: Reading, target: Target) -> list[Cause]:
    """Compare what kind of thing they are."""
    expected = _content_of(source)
    if reading.content == "visitor":
        words = "they are visitor IDs, not declared IDs"
        return [] if expected == "visitor" else [Cause("visitor_as_declared", words)]
    what = f"{target.algorithm} digests" if reading.content == "digest" else "plain values"
    if expected == "visitor":
        return [Cause("declared_as_visitor", f"they are declared IDs ({what}), not visitor IDs")]
    if source.protection is Protection.AES_CBC or reading.seal is not None:
        return _beside_sealed(source, reading, what)
    if expected != reading.content:
        code = "plain_in_hashed" if expected == "digest" else "hash_in_plain"
        return [Cause(code, f"they are {what}, not {source.protection}{' digests' if expected == 'digest' else ''}")]
    other = expected == "digest" and target.algorithm != source.protection
    return [Cause("algorithm", f"they are {what}, not {source.protection}")] if other else []


def _beside_sealed(source: DataSource, reading: Reading, what: str) -> list[Cause]:
    if reading.seal is not None and source.protection is not Protection.AES_CBC:
        return [Cause("encrypted", f"they are encrypted with the key of data source `{reading.seal.source}`")]
    if reading.seal is None:
        return [Cause("not_encrypted", f"they are {what}, not encrypted")]
    if reading.content == "digest":
        return [Cause("hash_in_sealed", f"what is encrypted are {what}, not the values")]
    return []


def _writing(source: DataSource, reading: Reading) -> list[Cause]:
    expected = source.encoding.value if reading.seal is not None else _EXPECTED[reading.content]
    if reading.writing == expected:
        return []
    if reading.writing in _WRITINGS:
        code, words = _WRITINGS[reading.writing]
        return [Cause(code, words)]
    return []


def _sealing(source: DataSource, reading: Reading) -> list[Cause]:
    """Compare how they are encrypted."""
    seal = reading.seal
    if seal is None or source.protection is not Protection.AES_CBC:
        return []
    found = []
    if seal.source != source.name:
        found.append(Cause("other_key", f"they are encrypted with the key of data source `{seal.source}`"))
    elif seal.version != source.key_version:
        found.append(Cause("old_key", f"they are encrypted with version {seal.version} of the key"))
    if seal.as_text:
        found.append(Cause("key_as_text", "the sender took the digits of the key for its bytes"))
    found += _initialising(source, seal)
    if seal.padding != "pkcs7":
        found.append(Cause("padding", "the values are padded with zeros or spaces, not as PKCS#7 says"))
    return found


def _initialising(source: DataSource, seal: Seal) -> list[Cause]:
    """Compare what stands before the first block."""
    if seal.mode == "ecb":
        return [Cause("ecb", "they are encrypted in ECB mode, without an IV")]
    if seal.iv == "zero":
        return [Cause("zero_iv", "they are encrypted with an IV of zeros")]
    if seal.iv == "prefixed":
        return [] if source.iv_prefixed else [Cause("iv_in_front", "the IV stands in front of each value")]
    if seal.iv == "fixed":
        words = "one IV is used for all values, none stands in front"
        return [Cause("iv_not_in_front", words)] if source.iv_prefixed else []
    return [Cause("other_iv", f"they are encrypted with the IV of data source `{seal.iv}`")]


def _form(source: DataSource, target: Target) -> list[Cause]:
    form = target.form
    if form == BASE:
        return []
    if form.startswith("scheme:"):
        name = form.removeprefix("scheme:")
        return [Cause("scheme", f"the values were normalised by scheme `{name}`, not `{source.scheme}`")]
    if form.startswith("region:"):
        words = f"the profiles' telephone numbers are national ones of region {form.removeprefix('region:')}"
        return [Cause("region", words)]
    if form.startswith(("hashed:", "HASHED:", "raw:")):
        inner = form.partition(":")[2]
        how = {"hashed": "the lower-case digits", "HASHED": "the upper-case digits", "raw": "the bytes"}[
            form.partition(":")[0]
        ]
        return [Cause("hashed_twice", f"the sender hashed twice: {target.algorithm} of {how} of {inner}")]
    code, words = _FORMS[form]
    return [Cause(code, words)]


def fitting(source: DataSource, reading: Reading, target: Target) -> Fitting | None:
    """Give the data source that would have matched; None = no setting can, the sender has to mend it."""
    form, change = target.form, reading.change
    if reading.wrapped or reading.zeros or change == "plus":
        return None
    region = (form if form.startswith("region:") else change).removeprefix("region:") or source.region
    if form.startswith("scheme:"):
        scheme = form.removeprefix("scheme:")
    elif form == BASE or form.startswith("region:"):
        scheme = source.scheme
    else:
        return None
    declared = msgspec.structs.replace(
        source,
        kind=Kind.DECLARED,
        key=target.field,
        scheme=scheme,
        region=region,
        channel=_channel(source, target.field),
    )
    if reading.seal is not None:
        return None if reading.content != "plain" else _sealed(source, declared, reading.seal, reading.writing)
    if reading.writing != _EXPECTED[reading.content]:
        return None
    if reading.content == "visitor":
        return Fitting(
            msgspec.structs.replace(
                source, kind=Kind.VISITOR, key="", protection=Protection.PLAIN, scheme="adobe", channel=Channel.OTHER,
                on_ambiguous=OnAmbiguous.ALL, key_version=0, iv_prefixed=False,
            )
        )  # fmt: skip
    protection = Protection(target.algorithm) if reading.content == "digest" else Protection.PLAIN
    return Fitting(msgspec.structs.replace(declared, protection=protection, key_version=0, iv_prefixed=False))


def _sealed(source: DataSource, declared: DataSource, seal: Seal, writing: str) -> Fitting | None:
    if seal.as_text or seal.mode != "cbc" or seal.padding != "pkcs7" or writing not in ("hex", "base64"):
        return None
    prefixed = seal.iv == "prefixed"
    wanted = msgspec.structs.replace(
        declared, protection=Protection.AES_CBC, encoding=Encoding(writing), iv_prefixed=prefixed
    )
    own = seal.source == source.name and seal.version == source.key_version
    if own and seal.iv == ("prefixed" if source.iv_prefixed else "fixed"):
        return Fitting(wanted)
    key = "the same key" if own else f"the key of data source {seal.source}"
    if seal.source == source.name and not own:
        key = f"version {seal.version} of the key"
    iv = {"fixed": "its IV", "prefixed": "the IV in front of each value", "zero": "an IV of 32 zeros"}
    words = f"{key} and {iv.get(seal.iv, f'the IV of data source {seal.iv}')}"
    return Fitting(wanted, words, "" if own or seal.iv not in ("fixed", "prefixed") else seal.source)


def _content_of(source: DataSource) -> str:
    if source.kind is Kind.VISITOR:
        return "visitor"
    return "digest" if source.protection.is_hash else "plain"


def _channel(source: DataSource, field: str) -> Channel:
    """Keep the channel where the field still fits it."""
    address = {Channel.EMAIL: "email", Channel.SMS: "phone"}.get(source.channel)
    return source.channel if address is not None and field_for(field) == address else Channel.OTHER
