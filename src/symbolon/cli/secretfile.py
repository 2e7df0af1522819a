"""Secrets of transports and senders as a command takes them: from files or standard input, never as an option.

Invariant: neither a secret nor the name of its file, which may be the secret by mistake, reaches a message.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from symbolon.cli.errors import CommandError, FileAccessError
from symbolon.cli.spool import STANDARD_INPUT

#: more than any private key
_LARGEST = 1 << 16


def secret_from(
    *,
    key_file: str | None,
    passphrase_file: str | None,
    password_file: str | None,
    access_key_id: str | None,
    secret_file: str | None,
) -> dict[str, str]:
    """Read what was given; empty = nothing was.

    Raises:
        FileAccessError: a file cannot be read, or is empty.
        CommandError: half an access key was given.
    """
    if (access_key_id is None) != (secret_file is None):
        raise CommandError("--access-key-id and --secret-file belong together")
    files = {
        "private_key": ("--key-file", key_file),
        "passphrase": ("--passphrase-file", passphrase_file),
        "password": ("--password-file", password_file),
        "secret_access_key": ("--secret-file", secret_file),
    }
    secret = {name: read_secret(option, file) for name, (option, file) in files.items() if file is not None}
    return {"access_key_id": access_key_id, **secret} if access_key_id is not None else secret


def read_secret(option: str, file: str) -> str:
    """Read one secret.

    Args:
        option: as it is typed, for messages.
        file: its name; `-` is standard input.

    Raises:
        FileAccessError: the file cannot be read, or is empty.
    """
    try:
        if file == STANDARD_INPUT:
            text = sys.stdin.read(_LARGEST)
        else:
            with Path(file).open("rb") as source:
                text = source.read(_LARGEST).decode("utf-8", "replace")
    except (OSError, ValueError) as error:
        reason = os.strerror(getattr(error, "errno", 0) or 0)
        raise FileAccessError(
            f"the file of {option} cannot be read: {reason}",
            hint=f"{option} names a file that holds the secret, never the secret itself",
        ) from None
    # a line end is not part of it; blanks may be
    text = text.rstrip("\r\n") if option != "--key-file" else text
    if not text.strip():
        raise FileAccessError(f"the file of {option} is empty")
    return text
