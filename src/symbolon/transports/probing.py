"""The test of a transport: list, write, read and delete a probe file, with a mend for what fails."""

from __future__ import annotations

import secrets
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from symbolon.errors import InternalError, SymbolonError
from symbolon.transports.errors import RemoteExists
from symbolon.transports.transport import Probe

if TYPE_CHECKING:
    from collections.abc import Callable

    from symbolon.transports.transport import Transport

_CONTENT = b"A probe of Symbolon. It may be deleted.\n"


def probe(transport: Transport) -> list[Probe]:
    """Try what a transport must be able to do; stop at the first step that fails. Never raises.

    The probe's name begins with `.`, so that nobody takes it for a delivery.
    """
    name = f".symbolon-probe-{secrets.token_hex(6)}"
    probes: list[Probe] = []
    with tempfile.TemporaryDirectory(prefix="symbolon-probe-") as folder:
        written, read = Path(folder) / "written", Path(folder) / "read"
        written.write_bytes(_CONTENT)
        steps: list[tuple[str, Callable[[], str]]] = [
            ("list", lambda: _list(transport)),
            ("write", lambda: _write(transport, written, name)),
            ("read", lambda: _read(transport, name, read)),
            ("delete", lambda: _delete(transport, name)),
        ]
        for step, work in steps:
            probes.append(_tried(step, work))
            if not probes[-1].passed:
                if step == "read":  # what was written goes, whatever reading says
                    _tried("delete", lambda: _delete(transport, name))
                break
    return probes


def failed(step: str, error: SymbolonError) -> Probe:
    """Give a fault as the outcome of a step."""
    return Probe(step=step, passed=False, detail=f"{error.summary} [{error.code}]", mend=error.hint)


def _tried(step: str, work: Callable[[], str]) -> Probe:
    try:
        return Probe(step=step, passed=True, detail=work())
    except SymbolonError as error:
        return failed(step, error)
    except Exception as error:  # noqa: BLE001 - a test of a transport reports, whatever happens
        return failed(step, InternalError(f"an unexpected {type(error).__name__}"))


def _list(transport: Transport) -> str:
    found = len(transport.list(limit=1000))
    return f"{found:,} files" if found < 1000 else "1,000 files or more"


def _write(transport: Transport, source: Path, name: str) -> str:
    sent = transport.put(source, name)
    try:
        transport.put(source, name)
    except RemoteExists:
        return f"{sent.size_bytes} bytes; a second one of the same name is refused"
    transport.delete(name)
    raise InternalError(
        "a file that is there was replaced, though it should not be",
        hint="the other side ignores conditional writes: use another endpoint, or one writer at a time",
    )


def _read(transport: Transport, name: str, target: Path) -> str:
    transport.fetch(name, target)
    if target.read_bytes() != _CONTENT:
        raise InternalError("what was read is not what was written", hint="something between us changes files")
    return f"{len(_CONTENT)} bytes, the same"


def _delete(transport: Transport, name: str) -> str:
    transport.delete(name)
    if transport.stat(name) is not None:
        raise InternalError("the probe is still there after it was deleted", hint="is the folder versioned or locked?")
    return "the probe is gone"
