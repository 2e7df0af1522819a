"""Reading the options of a transport: texts that become numbers and choices, with every fault found at once."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from symbolon.transports.errors import TransportInvalid

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Options:
    """The options and the secret of one transport, read one by one; `done` tells what is wrong.

    Args:
        kind: of transport, for messages.
        options: as given.
        secret: as unwrapped; its values never reach a message.
    """

    def __init__(self, kind: str, options: Mapping[str, str], secret: Mapping[str, str] | None) -> None:
        self._kind = kind
        self._options = options
        self._secret = secret or {}
        self._known: list[str] = []
        self._known_secrets: list[str] = []
        self.faults: list[str] = []

    def text(self, name: str, default: str = "") -> str:
        """Give an option as it is."""
        self._known.append(name)
        return self._options.get(name, default)

    def choice(self, name: str, among: Iterable[str], default: str = "") -> str:
        """Give an option that is one of a few words."""
        value, known = self.text(name, default), list(among)
        if value != default and value not in known:
            self.faults.append(f"{name} is one of {', '.join(known)}")
        return value

    def number(self, name: str, default: int, *, least: int = 0, most: int = 1 << 50, base: int = 10) -> int:
        """Give an option that is a whole number."""
        value = self.text(name)
        if not value:
            return default
        try:
            number = int(value, base)
        except ValueError:
            number = least - 1
        if not least <= number <= most:
            self.faults.append(
                f"{name} is a whole number from {least:,} to {most:,}"
                if base == 10
                else f"{name} is a mode such as 640"
            )
            return default
        return number

    def secret(self, name: str) -> str:
        """Give a part of the secret; empty = it has none."""
        self._known_secrets.append(name)
        return self._secret.get(name, "")

    def done(self) -> None:
        """Make sure that nothing was wrong and nothing is left over.

        Raises:
            TransportInvalid: all faults.
        """
        for noun, given, known in (
            ("option", self._options, self._known),
            ("secret", self._secret, self._known_secrets),
        ):
            for name in sorted(set(given) - set(known)):
                near = get_close_matches(name, known, n=1)
                mean = f"did you mean `{near[0]}`?" if near else f"known: {', '.join(sorted(known)) or 'none'}"
                # what is no known name may be a secret in the wrong place
                self.faults.append(f"a transport of kind {self._kind} has no such {noun}; {mean}")
        if self.faults:
            raise TransportInvalid(
                "the transport does not hold together: " + "; ".join(self.faults),
                hint="symbolon transport add --help shows what belongs together",
                details={"faults": self.faults},
            )
