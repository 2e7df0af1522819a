"""The fields of a profile, how files may spell them, and the types of everything else.

Source: the profile resource of Adobe Campaign Standard (`nms:recipient`): names, contact, location, denylist flags by
channel, `ccpaOptOut`. Its spellings are accepted as headers; ours are lower-case with underscores.
"""

from __future__ import annotations

import re

import pyarrow as pa

from symbolon import ids
from symbolon.profiles.errors import FieldError

MOMENT = pa.timestamp("us", tz="UTC")

_PEOPLE = ("external_id", "email", "mobile_phone", "phone", "fax", "salutation")
_NAMES_OF = ("first_name", "middle_name", "last_name", "gender")
_PLACE = ("preferred_language", "time_zone", "street", "city", "state", "postal_code", "country")
_OPT_OUTS = ("opt_out_all", "opt_out_email", "opt_out_sms", "opt_out_phone", "opt_out_post", "opt_out_push")

#: the number a profile has inside the lake; people never see it
PROFILE_ID = pa.field("profile_id", pa.int64())
#: the fixed fields, in order
FIELDS = pa.schema(
    [
        *[pa.field(name, pa.string()) for name in (*_PEOPLE, *_NAMES_OF)],
        pa.field("birth_date", pa.date32()),
        *[pa.field(name, pa.string()) for name in _PLACE],
        *[pa.field(name, pa.bool_()) for name in (*_OPT_OUTS, "do_not_share")],
        pa.field("created", MOMENT),
        pa.field("modified", MOMENT),
    ]
)
#: set by us, never by a file
OWN = frozenset({"profile_id", "created", "modified"})

#: other spellings, without `_`, `-` and spaces
_ALIASES = {
    "customernumber": "external_id",
    "mail": "email",
    "emailaddress": "email",
    "mobile": "mobile_phone",
    "mobilenumber": "mobile_phone",
    "sms": "mobile_phone",
    "title": "salutation",
    "givenname": "first_name",
    "surname": "last_name",
    "familyname": "last_name",
    "dateofbirth": "birth_date",
    "language": "preferred_language",
    "zip": "postal_code",
    "zipcode": "postal_code",
    "blacklist": "opt_out_all",
    "blacklistemail": "opt_out_email",
    "blacklistmobile": "opt_out_sms",
    "blacklistphone": "opt_out_phone",
    "blacklistpostalmail": "opt_out_post",
    "blacklistpushnotification": "opt_out_push",
    "ccpaoptout": "do_not_share",
}
_ALIASES |= {name.replace("_", ""): name for name in FIELDS.names}
_EXTRA = re.compile(r"[a-z][a-z0-9_]{0,62}")


def field_name(header: str) -> str:
    """Give the field that a header means: a fixed field by any of its spellings, or an extra column.

    Raises:
        FieldError: the header can be no column: it does not begin with a letter, or is too long.
    """
    bare = re.sub(r"[\s_\-]+", "", header.strip().lower())
    if bare in _ALIASES:
        return _ALIASES[bare]
    name = re.sub(r"[\s\-]+", "_", header.strip().lower())
    if not _EXTRA.fullmatch(name) or name in OWN:
        raise FieldError(
            f"`{header[:64]}` can be no column of profiles",
            hint="a column is a letter and up to 62 letters, digits or `_` behind it",
        )
    return name


def is_address(name: str) -> bool:
    """Whether values of a field are e-mail addresses or telephone numbers: as keys they are compared without spaces."""
    return ids.field_for(name) in {"email", "phone"}


def map_headers(headers: list[str]) -> dict[str, str]:
    """Give the header of each field, in the order of the file; headers of our own fields are left out.

    Raises:
        FieldError: two headers mean the same field, or one can be no column.
    """
    found: dict[str, str] = {}
    for header in headers:
        if re.sub(r"[\s_\-]+", "", header.strip().lower()) in {"created", "modified", "profileid"}:
            continue
        name = field_name(header)
        if name in found:
            raise FieldError(f"`{found[name]}` and `{header}` are both the field `{name}`", hint="rename one of them")
        found[name] = header
    return found


def extra_type(given: pa.DataType) -> pa.DataType:
    """Give the type that an extra column of this type is kept with."""
    if pa.types.is_boolean(given) or pa.types.is_date32(given):
        return given
    if pa.types.is_integer(given):
        return pa.int64()
    if pa.types.is_floating(given) or pa.types.is_decimal(given):
        return pa.float64()
    if pa.types.is_date(given):
        return pa.date32()
    return MOMENT if pa.types.is_timestamp(given) else pa.string()


def type_name(given: pa.DataType) -> str:
    """Write a column's type as the store keeps it."""
    return _NAMES[given]


def type_of(name: str) -> pa.DataType:
    """Read a column's type as the store keeps it."""
    return _TYPES[name]


_TYPES: dict[str, pa.DataType] = {
    "text": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "moment": MOMENT,
}
_NAMES = {kind: name for name, kind in _TYPES.items()}
