"""Files in a folder of this machine, or of one that is mounted here.

Invariant: no link is followed out of the root, not even one that appears in between: a path is resolved, then walked
again from the root without following anything. A file that is put gets its name by `link`, which replaces nothing.
"""

from __future__ import annotations

import contextlib
import errno
import heapq
import os
import stat as modes
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from symbolon.transports.copying import CHUNK, Placing, arriving, leaving, unchanged
from symbolon.transports.errors import (
    NameRefused,
    RemoteChanged,
    RemoteExists,
    RemoteMissing,
    RootMissing,
    TransportDenied,
    TransportFull,
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
from symbolon.transports.transport import RemoteFile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from symbolon.transports.transport import Probe

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# a pipe that somebody put there must not make us wait for its other end
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_Files = list[RemoteFile]
_Probes = list["Probe"]


class LocalTransport:
    """A folder.

    Args:
        root: the folder; made by the first `put` where it is missing.
        mode: of the files that are put.
    """

    def __init__(self, root: Path, *, mode: int = 0o600) -> None:
        self._root = Path(os.path.abspath(root))  # noqa: PTH100 - `resolve` would follow links at the wrong moment
        self._mode = mode
        self._swept: set[str] = set()
        self.place = f"file://{self._root}"

    def __repr__(self) -> str:
        return f"LocalTransport({self.place})"

    def list(
        self, prefix: str = "", pattern: str = "*", *, limit: int = 100_000, without: tuple[str, ...] = ()
    ) -> _Files:
        """Give the files below a folder; links to folders are not gone into."""
        folder = checked_prefix(prefix)
        with _told(prefix):
            base = self._resolved(folder)
            if not base.is_dir():
                if not self._root.is_dir():
                    raise RootMissing(f"the folder {self._root} does not exist")
                return []
            found = (one for one in self._walk(base, folder) if matches(one.name, pattern, without))
            return heapq.nsmallest(limit, found, key=lambda one: one.name)

    def stat(self, name: str) -> RemoteFile | None:
        """Give one file; None if there is none, or it is no file."""
        with _told(name):
            try:
                status = self._resolved(checked(name)).stat(follow_symlinks=False)
            except (FileNotFoundError, NotADirectoryError):
                return None
            return _remote(name, status) if modes.S_ISREG(status.st_mode) else None

    def fetch(self, name: str, target: Path, *, expected: RemoteFile | None = None) -> RemoteFile:
        """Copy a file; size, time and inode are compared before and after, and with what the name means then."""
        with _told(name):
            descriptor = self._opened(checked(name))
        with os.fdopen(descriptor, "rb", buffering=0) as source:
            before = _remote(name, os.fstat(source.fileno()))
            if expected is not None and expected.fingerprint != before.fingerprint:
                raise RemoteChanged(f"`{name}` is not the file that was listed any more")
            with arriving(target) as file:
                with _told(name):
                    copied = _copied(source.fileno(), file.fileno(), before.size_bytes)
                after = _remote(name, os.fstat(source.fileno()))
                if not (copied == before.size_bytes and before == after == self.stat(name)):
                    raise RemoteChanged(f"`{name}` changed while it was read")
        return before

    def put(self, source: Path, name: str, *, overwrite: bool = False, is_spare: bool = False) -> RemoteFile:
        """Copy a local file to `name`, by a temporary name beside it; a spare one gets a second name where it can."""
        placing = Placing()
        with (
            placing.told(),
            leaving(source) as (file, size),
            _told(name),
            self._folder_of(checked(name), create=True) as (folder, last),
        ):
            self._sweep(folder, name.rpartition("/")[0])
            part = temporary()
            is_here = is_spare and _has_second_name(source, part, folder)
            made = 0 if is_here else os.O_CREAT | os.O_EXCL
            out = os.open(part, os.O_WRONLY | made | os.O_NOFOLLOW | os.O_CLOEXEC, self._mode, dir_fd=folder)
            try:
                try:
                    os.fchmod(out, self._mode)  # whatever the umask says
                    unchanged(file, size, size if is_here else _copied(file.fileno(), out, size))
                    os.fsync(out)
                    status = os.fstat(out)
                finally:
                    os.close(out)
                if overwrite:
                    os.replace(part, last, src_dir_fd=folder, dst_dir_fd=folder)
                else:
                    _linked(part, folder, last, folder)
                placing.asked = True
            finally:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(part, dir_fd=folder)
            os.fsync(folder)
        return _remote(name, status)

    def move(self, name: str, target: str) -> None:
        """Give a file another name, replacing none."""
        checked(target)
        with _told(name), self._folder_of(checked(name)) as (from_folder, from_last):
            if not modes.S_ISREG(os.stat(from_last, dir_fd=from_folder, follow_symlinks=False).st_mode):
                raise NameRefused("only files are moved, no folders and no links")
            with _told(target), self._folder_of(target, create=True) as (to_folder, to_last):
                _linked(from_last, from_folder, to_last, to_folder)
                with contextlib.suppress(FileNotFoundError):  # renamed already, where there are no links
                    os.unlink(from_last, dir_fd=from_folder)
                os.fsync(to_folder)

    def delete(self, name: str) -> None:
        """Remove a file, or a link itself; one that is not there is no fault."""
        with contextlib.suppress(RemoteMissing), _told(name), self._folder_of(checked(name)) as (folder, last):
            os.unlink(last, dir_fd=folder)

    def check(self) -> _Probes:
        """List, write, read and delete a probe file."""
        return probe(self)

    def close(self) -> None:
        """Nothing is held."""

    def _resolved(self, name: str) -> Path:
        """Give where a name leads in the end.

        Raises:
            NameRefused: a link leads out of the root.
        """
        root = Path(os.path.realpath(self._root))
        real = Path(os.path.realpath(root / name))
        if not real.is_relative_to(root):
            raise NameRefused("a link leads out of the root of the transport", hint="put the file itself there")
        return real

    def _opened(self, name: str) -> int:
        """Open a file by its resolved path, without following anything on the way."""
        real = self._resolved(name)
        with self._folder_at(real.parent) as folder:
            descriptor = os.open(real.name, _READ, dir_fd=folder)
        if not modes.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise RemoteMissing(f"`{name}` is no file")
        return descriptor

    @contextlib.contextmanager
    def _folder_of(self, name: str, *, create: bool = False) -> Iterator[tuple[int, str]]:
        """Open the folder of a name; give it with the last part of the name."""
        parent, _, last = name.rpartition("/")
        with self._folder_at(self._resolved(parent), create=create) as folder:
            yield folder, last

    @contextlib.contextmanager
    def _folder_at(self, real: Path, *, create: bool = False) -> Iterator[int]:
        root = Path(os.path.realpath(self._root))
        if create:
            root.mkdir(mode=0o700, parents=True, exist_ok=True)
        elif not root.is_dir():
            raise RootMissing(f"the folder {self._root} does not exist")
        folder = os.open(root, _FOLDER)
        try:
            for part in real.relative_to(root).parts:
                if create:
                    with contextlib.suppress(FileExistsError):
                        os.mkdir(part, 0o700, dir_fd=folder)
                below = os.open(part, _FOLDER, dir_fd=folder)
                os.close(folder)
                folder = below
            yield folder
        finally:
            os.close(folder)

    def _sweep(self, folder: int, name: str) -> None:
        """Once a folder: take away what processes that died were writing there."""
        if name in self._swept:
            return
        self._swept.add(name)
        for one in os.listdir(folder):
            with contextlib.suppress(OSError):
                if is_temporary(one) and time.time() - os.stat(one, dir_fd=folder).st_mtime > LEFT_BEHIND_S:
                    os.unlink(one, dir_fd=folder)

    def _walk(self, base: Path, name: str) -> Iterator[RemoteFile]:
        waiting = [(base, name)]
        while waiting:
            folder, above = waiting.pop()
            try:
                entries = os.scandir(folder)
            except FileNotFoundError:
                continue  # taken away since
            with entries:
                for entry in entries:
                    below = joined(above, entry.name)
                    if not is_listed(below):
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append((folder / entry.name, below))
                        continue
                    with contextlib.suppress(NameRefused, FileNotFoundError):
                        if entry.is_file(follow_symlinks=False):
                            yield _remote(below, entry.stat(follow_symlinks=False))
                        elif entry.is_symlink() and (found := self.stat(below)) is not None:
                            yield found


def _remote(name: str, status: os.stat_result) -> RemoteFile:
    return RemoteFile(
        name=name,
        size_bytes=status.st_size,
        modified=datetime.fromtimestamp(status.st_mtime, UTC),
        fingerprint=f"{status.st_size}-{status.st_mtime_ns}-{status.st_ino}",
    )


def _copied(source: int, target: int, size: int) -> int:
    """Copy no more than was there at first: who writes to the file must not keep us for ever."""
    copied = 0
    while data := os.read(source, min(CHUNK, size - copied)):
        copied += len(data)
        while data:
            data = data[os.write(target, data) :]
    return copied


def _has_second_name(source: Path, name: str, folder: int) -> bool:
    """Give a file another name in a folder; False = it cannot have one: another file system, or one without links."""
    try:
        os.link(source, name, dst_dir_fd=folder, follow_symlinks=False)
    except OSError:
        return False  # copying it tells what is wrong, if something is
    return True


def _linked(source: str, from_folder: int, target: str, to_folder: int) -> None:
    """Give a file a second name, replacing none; where the file system has no links, look first, then rename."""
    try:
        os.link(source, target, src_dir_fd=from_folder, dst_dir_fd=to_folder, follow_symlinks=False)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK):
            raise
        with contextlib.suppress(FileNotFoundError):
            os.stat(target, dir_fd=to_folder, follow_symlinks=False)
            raise FileExistsError(errno.EEXIST, "it is there") from None
        # the first name stays until the caller takes it away, as with a link: it is gone by then
        os.replace(source, target, src_dir_fd=from_folder, dst_dir_fd=to_folder)


@contextlib.contextmanager
def _told(name: str) -> Iterator[None]:
    """Give what the system refuses as a fault of a transport."""
    try:
        yield
    except (FileNotFoundError, NotADirectoryError):
        raise RemoteMissing(f"there is no file `{name}`") from None
    except (FileExistsError, IsADirectoryError):
        raise RemoteExists(f"`{name}` is there already") from None
    except PermissionError as error:
        reason = os.strerror(error.errno or errno.EACCES)
        raise TransportDenied(
            f"the system refuses it: {reason}", hint="check who owns the folder, and its mode"
        ) from None
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise TransportFull("there is no space left where the folder is") from None
        if error.errno == errno.ELOOP:
            raise NameRefused("a link appeared on the way to the file") from None
        if error.errno == errno.ENAMETOOLONG:
            raise NameRefused("the file system takes no name as long as this") from None
        raise TransportUnreachable(f"the system failed: {os.strerror(error.errno or errno.EIO)}") from None
