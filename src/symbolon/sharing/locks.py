"""One writer an audience: the second waits, then is told who holds it."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from typing import TYPE_CHECKING

from symbolon.lake import file_lock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from symbolon.settings import Settings

#: how long a second change of the same audience waits for the first
LOCK_WAIT_S = 30.0


@contextmanager
def audience_lock(settings: Settings, name: str) -> Iterator[None]:
    """Hold the audience `name` against other processes.

    Raises:
        LockHeld: somebody else holds it for longer than this call waits.
    """
    slug = hashlib.sha256(name.encode()).hexdigest()[:16]
    path = settings.locks_dir / f"audience-{slug}.lock"
    with file_lock(path, wait_s=LOCK_WAIT_S, holder=f"a change of audience `{name}`"):
        yield
