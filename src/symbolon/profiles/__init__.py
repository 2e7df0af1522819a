"""Profiles: upserts, visitor links, and the kept digests that matching joins with."""

from symbolon.profiles.errors import FieldError, KeyColumnMissing, LinkColumnMissing, ProfilesRejected
from symbolon.profiles.fields import FIELDS
from symbolon.profiles.indexes import Index
from symbolon.profiles.profiles import Profiles
from symbolon.profiles.receipts import LinksReceipt, ProfilesReceipt

__all__ = [
    "FIELDS",
    "FieldError",
    "Index",
    "KeyColumnMissing",
    "LinkColumnMissing",
    "LinksReceipt",
    "Profiles",
    "ProfilesReceipt",
    "ProfilesRejected",
]
