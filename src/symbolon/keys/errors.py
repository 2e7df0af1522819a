"""What can go wrong with keys. None of these says which bytes."""

from __future__ import annotations

from symbolon.errors import DefinitionError, SecretError


class KeyMissing(SecretError):
    """An encrypted data source has no key, or the version it names is not there."""

    code = "secret.key_missing"


class MasterKeyError(SecretError):
    """The master key is missing, malformed, or its file can be read by others."""

    code = "secret.master_key"


class WrapError(SecretError):
    """A wrapped key does not open: another master key, another data source, or a changed byte."""

    code = "secret.unwrap"
    default_hint = "restore the keys/master.key this project was made with, or give the data source its key again"


class KeyInvalid(DefinitionError):
    """A key or an IV is not written as it must be."""

    code = "key.invalid"
