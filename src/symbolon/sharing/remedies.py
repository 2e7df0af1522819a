"""From what is wrong to what to type: the commands that change it, and what to ask the sender where no setting can.

Invariant: a command works as it stands; only what nobody but the user has (FILE with a key, HEX of an IV) is left open.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from symbolon.records import AudienceType, Kind, Protection

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from symbolon.matching.diagnosis import Cause, Fitting
    from symbolon.records import Audience, DataSource, Receipt

_Command = list[str]

#: what the kept match keys of an audience depend on: such a change needs a data source of its own
_MEANING = ("kind", "key", "protection", "scheme")
_SETTINGS = (*_MEANING, "region", "encoding", "iv_prefixed", "channel")
_LONGEST_NAME = 64
#: field of a data source -> option of `source edit`
_OPTIONS = {"region": "--region", "encoding": "--encoding", "channel": "--channel"}
#: fault -> what the sender has to do, where no setting reads it
_ASK = {
    "case": "write values in lower case before hashing them",
    "untrimmed": "take spaces and line ends off the values before hashing them (`echo -n`, `trim`)",
    "not_normalised": "trim the values and write them in lower case before hashing them",
    "utf16": "hash the bytes of the values as UTF-8",
    "no_plus": "write telephone numbers as E.164, with +",
    "national": "write telephone numbers as E.164, with + and country code, before hashing them",
    "leading_zeros": "treat IDs as text, not as numbers: spreadsheets drop leading zeros",
    "hashed_twice": "hash values once; values that come from another system may be hashed already",
    "base64": "write digests as hexadecimal",
    "base64_of_hex": "write the bytes in one way, not in two",
    "hex_of_hex": "write the bytes in one way, not in two",
    "hex": "send plain values as they are",
    "percent": "send values as they are, not as parts of a web address",
    "wrapped": "leave out what stands around the IDs",
    "hash_in_sealed": "encrypt the values, not their digests; or send the digests unencrypted",
    "key_as_text": "turn the hexadecimal digits of the key into bytes before encrypting",
    "ecb": "encrypt in CBC mode",
    "padding": "pad values as PKCS#7 says",
}


def commands(
    audience: Audience,
    receipt: Receipt,
    source: DataSource,
    fit: Fitting,
    *,
    sources: Sequence[DataSource],
    taken: Iterable[str],
    digests: bool,
) -> list[_Command]:
    """Give the commands that let the IDs match, in order.

    Args:
        audience: whose IDs they are.
        receipt: of its version: the files.
        source: its data source.
        fit: the data source that would have matched.
        sources: all data sources.
        taken: names of the audiences.
        digests: whether the IDs are kept as they are compared, so that matching them again needs no file.
    """
    wanted = fit.source
    changed = [
        name for name in (*_MEANING, "region", "encoding", "iv_prefixed", "channel") if _differ(name, source, wanted)
    ]
    if not changed and not fit.key_of:
        return [["audience", "refresh", audience.name]]
    there = next((one for one in sources if one.id != source.id and _reads_as(one, wanted, fit)), None)
    if there is not None:
        return [_import(audience, receipt, there.name, _fresh(f"{audience.name}-{there.name}", taken))]
    if any(name in _MEANING for name in changed):
        name = _fresh(_named(source, wanted, changed), [one.name for one in sources])
        return [_add(name, wanted), _import(audience, receipt, name, _fresh(f"{audience.name}-{name}", taken))]
    edit = ["source", "edit", source.name]
    for field in changed:
        if field in _OPTIONS:
            edit += [_OPTIONS[field], str(getattr(wanted, field))]
    if fit.key_of or "iv_prefixed" in changed:
        edit += _key_options(wanted)
    if changed == ["region"] and digests:
        return [edit, ["audience", "refresh", audience.name]]
    return [edit, _import(audience, receipt, source.name, audience.name)]


def advice(causes: Sequence[Cause], fit: Fitting | None) -> str:
    """Say what to ask the sender, where no setting can mend it, or whose key is needed."""
    if fit is not None:
        return f"it needs {fit.key_of}" if fit.key_of and not fit.holder else ""
    asked = [_ASK[cause.code] for cause in causes if cause.code in _ASK]
    return "no setting reads that; ask the sender to " + ", and to ".join(dict.fromkeys(asked)) if asked else ""


def _differ(name: str, one: DataSource, other: DataSource) -> bool:
    if name in ("encoding", "iv_prefixed") and other.protection is not Protection.AES_CBC:
        return False
    return bool(getattr(one, name) != getattr(other, name))


def _reads_as(one: DataSource, wanted: DataSource, fit: Fitting) -> bool:
    """Tell whether a data source that is there reads IDs as they have to be read."""
    if wanted.protection is Protection.AES_CBC and fit.holder != one.name:
        return False
    names = [*_MEANING, "encoding", "iv_prefixed"]
    if wanted.kind is Kind.DECLARED:
        names.append("region")
    return not any(_differ(name, one, wanted) for name in names)


def _named(source: DataSource, wanted: DataSource, changed: Sequence[str]) -> str:
    what = next(name for name in changed if name in _MEANING)
    if wanted.kind is Kind.VISITOR:
        what = "kind"
    return f"{source.name[:40]}-{re.sub(r'[^A-Za-z0-9_.-]', '-', str(getattr(wanted, what)))}"[:_LONGEST_NAME]


def _fresh(name: str, taken: Iterable[str]) -> str:
    known = set(taken)
    number = 2
    found = name
    while found in known:
        found, number = f"{name}-{number}", number + 1
    return found


def _add(name: str, wanted: DataSource) -> _Command:
    command = ["source", "add", name, "--kind", wanted.kind.value]
    if wanted.kind is Kind.VISITOR:
        return command
    command += ["--key", wanted.key, "--protection", wanted.protection.value]
    if wanted.scheme != "adobe":
        command += ["--normalise", wanted.scheme]
    if wanted.region:
        command += ["--region", wanted.region]
    if wanted.on_ambiguous.value != "all":
        command += ["--on-ambiguous", wanted.on_ambiguous.value]
    if wanted.protection is Protection.AES_CBC:
        command += ["--channel", wanted.channel.value, "--encoding", wanted.encoding.value, *_key_options(wanted)]
    return command


def _key_options(wanted: DataSource) -> _Command:
    return ["--key-hex-file", "FILE", "--iv", "prefixed" if wanted.iv_prefixed else "HEX"]


def _import(audience: Audience, receipt: Receipt, source: str, name: str) -> _Command:
    command = ["audience", "import", *(receipt.files or ["FILE"]), "--source", source]
    if audience.segment:
        command += ["--segment", audience.segment]
    command += ["--name", name]
    return [*command, "--no-force-reconciliation"] if audience.type is AudienceType.FILE else command
