"""Files below a folder of an SFTP server.

Invariant: a file is written under a temporary name, which no listing gives, and renamed when it is whole and its size
is what was sent. Names are resolved by the server before they are used, and refused where they leave the root.

Source: draft-ietf-secsh-filexfer-02 (SFTP version 3); OpenSSH's PROTOCOL file for `posix-rename@openssh.com`,
`fsync@openssh.com` and `statvfs@openssh.com`. A plain rename replaces nothing there.
"""

from __future__ import annotations

import contextlib
import heapq
import stat as modes
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from symbolon.errors import SymbolonError
from symbolon.transports.copying import CHUNK, Placing, arriving, leaving, unchanged
from symbolon.transports.errors import (
    NameRefused,
    RemoteChanged,
    RemoteExists,
    RemoteMissing,
    TransportFull,
    TransportRefused,
    TransportUnreachable,
)
from symbolon.transports.paths import (
    LEFT_BEHIND_S,
    checked,
    checked_prefix,
    is_listed,
    is_temporary,
    joined,
    matches,
    temporary,
)
from symbolon.transports.probing import probe
from symbolon.transports.retrying import Retrying
from symbolon.transports.sftpsession import Session, SftpSettings, missing_root, told
from symbolon.transports.transport import RemoteFile

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path
    from typing import BinaryIO

    from symbolon.transports.sftpsession import Opened
    from symbolon.transports.transport import Probe

T = TypeVar("T")
_Files = list[RemoteFile]
_Probes = list["Probe"]
#: open for writing, make it if it is missing, fail if it is there (SSH_FXF_…)
_WRITE, _CREATE, _EXCLUSIVE = 0x02, 0x08, 0x20


class SftpTransport:
    """A folder of an SFTP server.

    Args:
        settings: how the server is reached, with its pinned host key.
        mode: of the files that are put; None = as the server makes them.
        retrying: how often what may pass is tried again.
    """

    def __init__(self, settings: SftpSettings, *, mode: int | None = None, retrying: Retrying | None = None) -> None:
        self._session = Session(settings)
        self._mode = mode
        self._swept: set[str] = set()
        self._retrying = retrying or Retrying()
        port = "" if settings.port == 22 else f":{settings.port}"
        root = settings.root if settings.root.startswith("/") else f"/~/{settings.root}".rstrip("/")
        self.place = f"sftp://{settings.host}{port}{root}"

    def __repr__(self) -> str:
        return f"SftpTransport({self.place})"

    def list(
        self, prefix: str = "", pattern: str = "*", *, limit: int = 100_000, without: tuple[str, ...] = ()
    ) -> _Files:
        """Give the files below a folder; links to folders are not gone into."""
        folder = checked_prefix(prefix)

        async def work(opened: Opened) -> _Files:
            sftp = opened.sftp
            if not await sftp.isdir(opened.root):
                raise missing_root()
            if folder and not await sftp.isdir(opened.path(folder)):
                return []
            await opened.resolved(folder)
            # the best so far, so that a folder without end takes no memory without end
            kept: _Files = []
            async for one in _walk(opened, folder):
                if matches(one.name, pattern, without):
                    kept.append(one)
                if len(kept) >= 2 * limit + 1000:
                    kept = heapq.nsmallest(limit, kept, key=_name)
            return heapq.nsmallest(limit, kept, key=_name)

        return self._asked(prefix, work)

    def stat(self, name: str) -> RemoteFile | None:
        """Give one file; None if there is none, or it is no file."""
        checked(name)
        try:
            return self._asked(name, lambda opened: _stat(opened, name))
        except RemoteMissing:
            return None

    def fetch(self, name: str, target: Path, *, expected: RemoteFile | None = None) -> RemoteFile:
        """Copy a file; a broken reading goes on where it broke, if the file is still the same."""
        reading = _Reading(checked(name), expected)
        with arriving(target) as file:
            return self._asked(name, lambda opened: reading.go_on(opened, file), progress=lambda: reading.offset)

    def put(self, source: Path, name: str, *, overwrite: bool = False, is_spare: bool = False) -> RemoteFile:
        """Copy a local file to `name`; a broken writing goes on where the server confirmed it."""
        del is_spare  # it has to travel
        with leaving(source) as (file, size):
            writing = _Writing(checked(name), file, size, self._mode, self._swept, overwrite=overwrite)
            try:
                with writing.placing.told():
                    return self._asked(name, writing.go_on, progress=lambda: writing.offset)
            except BaseException as error:
                if not isinstance(error, TransportUnreachable):
                    with contextlib.suppress(SymbolonError):
                        self._session.run(writing.give_up)
                raise

    def move(self, name: str, target: str) -> None:
        """Give a file another name, replacing none."""
        checked(target)
        before: _Files = []

        async def work(opened: Opened) -> None:
            found = await _entry(opened, name)
            if found is None:
                # renamed by an attempt whose answer was lost
                if before and await _stat(opened, target) == _renamed(before[0], target):
                    return
                raise RemoteMissing(f"there is no file `{name}`")
            path, one = found
            before[:] = [one]
            await _rename(opened, path, await _path_for(opened, target), target)

        checked(name)
        self._asked(name, work)

    def delete(self, name: str) -> None:
        """Remove a file, or a link itself; one that is not there is no fault."""

        async def work(opened: Opened) -> None:
            await opened.sftp.remove(await _path_of(opened, name))

        checked(name)
        with contextlib.suppress(RemoteMissing):
            self._asked(name, work)

    def check(self) -> _Probes:
        """List, write, read and delete a probe file."""
        return probe(self)

    def close(self) -> None:
        """End the connection."""
        self._session.close()

    def _asked(
        self, name: str, work: Callable[[Opened], Awaitable[T]], *, progress: Callable[[], int] | None = None
    ) -> T:
        return self._retrying.run(lambda: self._session.run(work, name), progress=progress)


class _Reading:
    """One file that is being read, over several attempts."""

    def __init__(self, name: str, expected: RemoteFile | None) -> None:
        self._name = name
        self._found = expected
        self.offset = 0

    async def go_on(self, opened: Opened, file: BinaryIO) -> RemoteFile:
        real = await opened.resolved(self._name)
        async with opened.sftp.open(real, "rb", encoding=None) as handle:
            now = _regular(self._name, await handle.stat())
            if self._found is not None and now.fingerprint != self._found.fingerprint:
                raise RemoteChanged(f"`{self._name}` is not the file that was listed any more")
            self._found = now
            file.seek(self.offset)
            file.truncate()
            while self.offset < now.size_bytes:
                data = await handle.read(min(CHUNK, now.size_bytes - self.offset), self.offset)
                if not data:
                    break
                file.write(data)
                self.offset += len(data)
        after = await _stat(opened, self._name)
        if self.offset != now.size_bytes or after is None or after.fingerprint != now.fingerprint:
            raise RemoteChanged(f"`{self._name}` changed while it was read")
        return now


class _Writing:
    """One file that is being written, over several attempts."""

    def __init__(
        self, name: str, file: BinaryIO, size: int, mode: int | None, swept: set[str], *, overwrite: bool
    ) -> None:
        self._name = name
        self._file = file
        self._size = size
        self._mode = mode
        self._swept = swept
        self._overwrite = overwrite
        self._part = temporary()
        self._path = ""
        #: what it is once it is written whole
        self._whole: RemoteFile | None = None
        self.placing = Placing()
        self.offset = 0

    async def go_on(self, opened: Opened) -> RemoteFile:
        folder = await opened.folder(self._name.rpartition("/")[0])
        target = f"{folder.rstrip('/')}/{self._name.rpartition('/')[2]}"
        first, self._path = not self._path, f"{folder.rstrip('/')}/{self._part}"
        if self._whole is not None and self.placing.asked and not await opened.sftp.lexists(self._path):
            return self._whole  # renamed, and the answer was lost; whoever takes files may have it by now
        if not self._overwrite and await opened.sftp.lexists(target):
            raise RemoteExists(f"`{self._name}` is there already")
        if folder not in self._swept:
            self._swept.add(folder)
            await _sweep(opened, folder)
        self._whole = await self._write(opened, first=first)
        with self.placing.last_step(), told(self._name):
            if self._overwrite:
                await _replace(opened, self._path, target, self._name)
            else:
                await _rename(opened, self._path, target, self._name)
        return self._whole

    async def give_up(self, opened: Opened) -> None:
        if self._path:
            await opened.sftp.remove(self._path)

    async def _write(self, opened: Opened, *, first: bool) -> RemoteFile:
        """Write what is missing under the temporary name; give the file as it will be under its own."""
        import asyncssh  # noqa: PLC0415 - an extra

        attrs = asyncssh.SFTPAttrs(permissions=self._mode) if self._mode is not None else asyncssh.SFTPAttrs()
        flags = _WRITE | _CREATE | (_EXCLUSIVE if first else 0)
        async with opened.sftp.open(self._path, flags, attrs, encoding=None) as handle:
            if (await handle.stat()).size < self.offset:
                self.offset = 0  # the server lost what it had confirmed
            self._file.seek(self.offset)
            try:
                # no more than was there at first: who writes to the file must not keep us for ever
                while data := self._file.read(min(CHUNK, self._size - self.offset)):
                    await handle.write(data, self.offset)
                    self.offset += len(data)
                with contextlib.suppress(asyncssh.SFTPOpUnsupported):
                    await handle.fsync()
            except asyncssh.SFTPFailure:
                raise await self._why(opened) from None
            if self._mode is not None:
                await handle.setstat(attrs)  # whatever the umask there says
            written = await handle.stat()
        unchanged(self._file, self._size, self.offset)
        if written.size != self._size:
            self.offset = 0
            raise TransportUnreachable("the SFTP server has another size than was sent")
        return _regular(self._name, written)

    async def _why(self, opened: Opened) -> SymbolonError:
        """Say why writing failed: version 3 of the protocol has one word for everything."""
        import asyncssh  # noqa: PLC0415 - an extra

        with contextlib.suppress(asyncssh.SFTPError):
            space = await opened.sftp.statvfs(self._path.rpartition("/")[0] or "/")
            if space.bavail * space.frsize < min(self._size - self.offset, CHUNK):
                return TransportFull("there is no space left on the SFTP server")
        return TransportRefused(
            "the SFTP server fails to write", hint="a quota, or a disk that is full or broken? ask the host's owner"
        )


async def _sweep(opened: Opened, folder: str) -> None:
    """Take away what processes that died were writing in a folder."""
    import asyncssh  # noqa: PLC0415 - an extra

    with contextlib.suppress(asyncssh.SFTPError):
        async for entry in opened.sftp.scandir(folder):
            since = time.time() - (entry.attrs.mtime or time.time())
            if is_temporary(str(entry.filename)) and since > LEFT_BEHIND_S:
                with contextlib.suppress(asyncssh.SFTPError):
                    await opened.sftp.remove(f"{folder.rstrip('/')}/{entry.filename}")


async def _walk(opened: Opened, name: str) -> AsyncIterator[RemoteFile]:
    import asyncssh  # noqa: PLC0415 - an extra

    waiting = [name]
    while waiting:
        above = waiting.pop()
        try:
            async for entry in opened.sftp.scandir(opened.path(above)):
                below = joined(above, str(entry.filename))
                if not is_listed(below):
                    continue
                permissions = entry.attrs.permissions or 0
                if modes.S_ISDIR(permissions):
                    waiting.append(below)
                elif modes.S_ISREG(permissions):
                    yield _regular(below, entry.attrs)
                elif modes.S_ISLNK(permissions):
                    with contextlib.suppress(NameRefused, asyncssh.SFTPNoSuchFile):
                        found = await _stat(opened, below)
                        if found is not None:
                            yield found
        except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath):
            continue  # taken away since


async def _stat(opened: Opened, name: str) -> RemoteFile | None:
    import asyncssh  # noqa: PLC0415 - an extra

    try:
        attrs = await opened.sftp.stat(await opened.resolved(name))
    except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath):
        return None
    return _regular(name, attrs) if modes.S_ISREG(attrs.permissions or 0) else None


async def _entry(opened: Opened, name: str) -> tuple[str, RemoteFile] | None:
    """Give the path of a file itself and what it is; None if there is none."""
    import asyncssh  # noqa: PLC0415 - an extra

    try:
        path = await _path_of(opened, name)
        attrs = await opened.sftp.lstat(path)
    except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath):
        return None
    if not modes.S_ISREG(attrs.permissions or 0):
        raise NameRefused("only files are moved, no folders and no links")
    return path, _regular(name, attrs)


async def _path_of(opened: Opened, name: str) -> str:
    """Give the path of a name in its resolved folder; its last part is not followed."""
    parent, _, last = name.rpartition("/")
    return f"{(await opened.resolved(parent)).rstrip('/')}/{last}"


async def _path_for(opened: Opened, name: str) -> str:
    """The same, with its folder made."""
    parent, _, last = name.rpartition("/")
    return f"{(await opened.folder(parent)).rstrip('/')}/{last}"


async def _rename(opened: Opened, source: str, target: str, name: str) -> None:
    """Rename, replacing nothing."""
    import asyncssh  # noqa: PLC0415 - an extra

    try:
        await opened.sftp.rename(source, target)
    except (asyncssh.SFTPFailure, asyncssh.SFTPFileAlreadyExists):
        if await opened.sftp.lexists(target):
            raise RemoteExists(f"`{name}` is there already") from None
        raise


async def _replace(opened: Opened, source: str, target: str, name: str) -> None:
    import asyncssh  # noqa: PLC0415 - an extra

    try:
        await opened.sftp.posix_rename(source, target)
    except asyncssh.SFTPOpUnsupported:
        raise TransportRefused(
            "the SFTP server cannot replace a file in one step", hint="delete the old file first, then send this one"
        ) from None
    except asyncssh.SFTPFailure:
        if await opened.sftp.isdir(target):
            raise RemoteExists(f"`{name}` is there already, and is a folder") from None
        raise


def _regular(name: str, attrs: Any) -> RemoteFile:
    if not modes.S_ISREG(attrs.permissions or 0):
        raise RemoteMissing(f"`{name}` is no file")
    return RemoteFile(
        name=name,
        size_bytes=int(attrs.size),
        modified=datetime.fromtimestamp(attrs.mtime or 0, UTC),
        fingerprint=f"{attrs.size}-{attrs.mtime}",
    )


def _renamed(file: RemoteFile, name: str) -> RemoteFile:
    return RemoteFile(name=name, size_bytes=file.size_bytes, modified=file.modified, fingerprint=file.fingerprint)


def _name(file: RemoteFile) -> str:
    return file.name
