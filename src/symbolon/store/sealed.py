"""Definitions that hold a secret: kept by name and version, the secret wrapped before it touches the store.

Invariant: a wrapped secret is bound to the kind, the name and the version of its definition: moved to another one, it
does not open.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from symbolon.keys.secret import Secret
from symbolon.records import Definition
from symbolon.store.errors import NameTaken

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from symbolon.errors import DefinitionError
    from symbolon.keys import KeyProvider
    from symbolon.records import DefinitionKind
    from symbolon.store.store import Store

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


class SealedDefinitions:
    """The definitions of one kind, with their secrets.

    Args:
        kind: what they are of; its value names them in messages and commands: `transport`, `sender`.
        invalid: makes the error of a name that cannot be one.
    """

    def __init__(
        self, store: Store, keys: KeyProvider, kind: DefinitionKind, invalid: Callable[[str], DefinitionError]
    ) -> None:
        self._store = store
        self._keys = keys
        self._kind = kind
        self._invalid = invalid

    def all(self) -> list[Definition]:
        """Give the newest version of all, by name."""
        return self._store.definitions(self._kind)

    def get(self, name: str) -> Definition:
        """Give the newest version of one.

        Raises:
            UnknownNameError: nothing has this name; the nearest names are part of the message.
        """
        return self._store.definition(self._kind, name)

    def require_free(self, name: str) -> None:
        """Refuse a name that cannot be one, or that another definition of this kind has.

        Raises:
            DefinitionError: as `invalid` makes it.
            NameTaken: there is one of this name.
        """
        noun = self._kind.value
        if not _NAME.fullmatch(name):
            raise self._invalid(f"a name of a {noun} is 1 to 64 letters, digits, `-`, `_` or `.`")
        if self._store.definition_versions(self._kind, name):
            raise NameTaken(f"there is a {noun} `{name}` already", hint=f"symbolon {noun} edit {name} --help")

    def put(self, name: str, body: str, secret: Mapping[str, str], *, base: int) -> Definition:
        """Keep the next version.

        Args:
            name: whose.
            body: JSON; never a secret.
            secret: the whole secret; empty = none.
            base: the version that it was made from; 0 = it is new.

        Raises:
            StoreConflict: somebody else changed it meanwhile.
        """
        sealed = None
        if secret:
            sealed = self._keys.wrap(msgspec.json.encode(dict(secret)), self._context(name, base + 1))
        return self._store.put_definition(Definition(kind=self._kind, name=name, body=body, secret=sealed), base=base)

    def secret(self, definition: Definition) -> Secret:
        """Open the secret of a definition; empty = it has none.

        Raises:
            WrapError: it was wrapped by another master key, or for another definition.
        """
        if definition.secret is None:
            return Secret()
        opened = self._keys.unwrap(definition.secret, self._context(definition.name, definition.version))
        return Secret(msgspec.json.decode(opened, type=dict[str, str]))

    def delete(self, name: str) -> None:
        """Remove a definition with all its versions and secrets.

        Raises:
            UnknownNameError: nothing has this name.
        """
        self._store.delete_definition(self._kind, name)

    def _context(self, name: str, version: int) -> str:
        return f"{self._kind.value}:{name}:{version}"
