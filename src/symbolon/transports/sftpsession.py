"""One connection to an SFTP server, driven from a loop of its own, made again when it was lost.

Invariant: nothing is sent, not even a user's name, before the server has proved that it has a pinned host key. Neither
the user's own SSH configuration, nor an agent, nor the list of hosts that the user has trusted takes part.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import threading
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from symbolon.transports.errors import (
    HostKeyChanged,
    NameRefused,
    RemoteExists,
    RemoteMissing,
    RootMissing,
    TransportDenied,
    TransportFull,
    TransportInvalid,
    TransportMissing,
    TransportRefused,
    TransportUnreachable,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

T = TypeVar("T")
#: signatures by which a server may prove its key; SHA-1 is not among them
_PROOFS = (
    "ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "rsa-sha2-512", "rsa-sha2-256",
)  # fmt: skip


class SftpSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How a server is reached. The secrets are not shown."""

    host: str
    port: int = 22
    user: str
    #: absolute, or relative to where the user comes in
    root: str
    #: public keys of the server as in a list of known hosts, without the host
    host_keys: tuple[str, ...]
    password: str = ""
    private_key: str = ""
    passphrase: str = ""
    connect_timeout_s: int = 15
    #: silence after which the other side is asked whether it is still there; three unanswered questions end it
    keepalive_s: int = 15

    def __repr__(self) -> str:
        return f"SftpSettings(host={self.host!r}, port={self.port})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("host", self.host), ("port", self.port)]


class Opened(msgspec.Struct, frozen=True):
    """A connection that stands."""

    #: asyncssh's client
    sftp: Any
    #: the root as the server resolves it
    root: str

    def path(self, name: str) -> str:
        """Give the path of a name, as text."""
        return f"{self.root.rstrip('/')}/{name}" if name else self.root

    def holds(self, real: str) -> bool:
        """Tell whether a resolved path is the root or below it."""
        return real == self.root or real.startswith(self.root.rstrip("/") + "/")

    async def resolved(self, name: str) -> str:
        """Ask the server where a name leads in the end.

        Raises:
            NameRefused: a link leads out of the root.
        """
        real = str(await self.sftp.realpath(self.path(name)))
        if not self.holds(real):
            raise NameRefused("a link leads out of the root of the transport", hint="put the file itself there")
        return real

    async def folder(self, name: str) -> str:
        """Give the resolved path of a folder, which is made where it is missing."""
        import asyncssh  # noqa: PLC0415 - an extra

        with contextlib.suppress(asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath):
            real = await self.resolved(name)
            if await self.sftp.isdir(real):
                return real
        if not await self.sftp.isdir(self.root):
            await self.sftp.makedirs(self.root, exist_ok=True)
        below = ""
        for part in name.split("/") if name else ():
            below = f"{below}/{part}" if below else part
            with contextlib.suppress(asyncssh.SFTPFailure, asyncssh.SFTPFileAlreadyExists):
                await self.sftp.mkdir(self.path(below))
            await self.resolved(below)
        return await self.resolved(name)


class Session:
    """A connection, opened when it is first needed."""

    def __init__(self, settings: SftpSettings) -> None:
        # all of it before what may be refused: `__del__` looks at it
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._connecting: asyncio.Lock | None = None
        self._connection: Any = None
        self._opened: Opened | None = None
        self._lock = threading.Lock()
        self._settings = settings
        self._known = read_host_keys(settings.host_keys)
        self._key = _private_key(settings)

    def run(self, work: Callable[[Opened], Awaitable[T]], name: str = "") -> T:
        """Do one piece of work on the connection; from any thread.

        Raises:
            TransportError: what the server, or the way to it, refused; the connection is made again by the next call
                where it broke.
        """
        with told(name):
            future = asyncio.run_coroutine_threadsafe(self._work(work), self._running())
            try:
                return future.result()
            except BaseException:
                future.cancel()
                raise

    def close(self) -> None:
        """End the connection and its loop."""
        with self._lock:
            loop, thread, self._loop, self._thread = self._loop, self._thread, None, None
        if loop is None or thread is None:
            return
        asyncio.run_coroutine_threadsafe(self._end(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()

    def __del__(self) -> None:
        # whoever forgot to close it must not keep a connection and a thread; nothing may be waited for here
        loop, connection = self._loop, self._connection
        if loop is None or loop.is_closed():
            return
        with contextlib.suppress(RuntimeError):  # the loop ends by itself just now
            if connection is not None:
                loop.call_soon_threadsafe(connection.abort)
            loop.call_soon_threadsafe(loop.call_later, 0.5, loop.stop)

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._connecting = asyncio.Lock()
                self._thread = threading.Thread(target=_serve, args=(self._loop,), name="symbolon-sftp", daemon=True)
                self._thread.start()
            return self._loop

    async def _work(self, work: Callable[[Opened], Awaitable[T]]) -> T:
        return await work(await self._open())

    async def _open(self) -> Opened:
        assert self._connecting is not None  # noqa: S101 - made with the loop that this runs on
        async with self._connecting:
            if self._opened is None or self._connection is None or self._connection.is_closed():
                self._opened = await self._connect()
            return self._opened

    async def _connect(self) -> Opened:
        asyncssh, given = _asyncssh(), self._settings
        await self._end()
        self._connection = await asyncssh.connect(
            given.host,
            given.port,
            username=given.user,
            password=given.password or None,
            client_keys=[self._key] if self._key is not None else None,
            known_hosts=(self._known, [], []),
            server_host_key_algs=_algorithms(self._known),
            config=None,
            agent_path=None,
            gss_host=None,
            connect_timeout=given.connect_timeout_s,
            login_timeout=given.connect_timeout_s,
            keepalive_interval=given.keepalive_s,
            keepalive_count_max=3,
        )
        # names need not be UTF-8: such files cannot be asked for, but must not break a listing either
        sftp = await self._connection.start_sftp_client(path_encoding="utf-8", path_errors="surrogateescape")
        home = given.root if given.root.startswith("/") else f"{await sftp.realpath('.')}/{given.root}"
        try:
            root = str(await sftp.realpath(home))
        except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath):
            root = home.rstrip("/") or "/"  # the first `put` makes it
        return Opened(sftp, root)

    async def _end(self) -> None:
        connection, self._connection, self._opened = self._connection, None, None
        if connection is not None:
            connection.close()
            with contextlib.suppress(Exception):
                await asyncio.wait_for(connection.wait_closed(), 5)


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    """Run a loop until it is stopped; it knows nothing of the session, which may so be forgotten."""
    try:
        loop.run_forever()
    finally:
        loop.close()


def learn_host_key(host: str, port: int, timeout_s: float = 15) -> tuple[str, str]:
    """Ask a server for its host key, without logging in; give the key and its fingerprint (`SHA256:…`).

    Whoever answers may be anybody: a person has to compare the fingerprint with what the host's owner tells.

    Raises:
        TransportUnreachable: nobody answers there.
    """
    asyncssh = _asyncssh()

    async def ask() -> Any:
        return await asyncio.wait_for(asyncssh.get_server_host_key(host, port, config=None), timeout_s)

    with told():
        key = asyncio.run(ask())
    if key is None:
        raise TransportRefused("the server shows no host key")
    return " ".join(key.export_public_key().decode().split()[:2]), key.get_fingerprint()


def read_host_keys(texts: tuple[str, ...]) -> list[Any]:
    """Read public keys of a server; a host's name in front, as `ssh-keyscan` writes it, is left out.

    Raises:
        TransportInvalid: one is no public key.
    """
    asyncssh = _asyncssh()
    found = []
    for text in texts:
        words = text.split()
        if len(words) > 2 and not words[0].startswith(("ssh-", "ecdsa-", "sk-")):
            words = words[1:]
        try:
            found.append(asyncssh.import_public_key(" ".join(words[:2])))
        except (asyncssh.KeyImportError, ValueError):
            raise TransportInvalid(
                "the host key is no public key of SSH",
                hint="one line as `ssh-keyscan HOST` writes it: ssh-ed25519 AAAA…",
            ) from None
    return found


def fingerprint(text: str) -> str:
    """Give the fingerprint of a public key as OpenSSH shows it."""
    return str(read_host_keys((text,))[0].get_fingerprint())


def _algorithms(known: list[Any]) -> list[str]:
    """Give the signatures that a server may use, those of the pinned keys first.

    The others stay, so that a server with another kind of key shows it and is told from one that breaks off.
    """
    pinned = [name.decode() for key in known for name in key.sig_algorithms]
    return [name for name in pinned if name in _PROOFS] + [name for name in _PROOFS if name not in pinned]


def _private_key(settings: SftpSettings) -> Any:
    if not settings.private_key:
        return None
    asyncssh = _asyncssh()
    try:
        return asyncssh.import_private_key(settings.private_key, settings.passphrase or None)
    except asyncssh.KeyEncryptionError:
        raise TransportInvalid(
            "the private key does not open with this passphrase", hint="give its passphrase with --passphrase-file"
        ) from None
    except (asyncssh.KeyImportError, ValueError):
        if "OPENSSH" in settings.private_key[:40] and settings.passphrase and find_spec("bcrypt") is None:
            raise TransportMissing(
                "a private key of OpenSSH's own format with a passphrase needs the package bcrypt",
                hint="uv add bcrypt; or write the key anew: ssh-keygen -p -m PKCS8 -f FILE",
            ) from None
        raise TransportInvalid(
            "the private key cannot be read, or needs a passphrase",
            hint="a key file of OpenSSH or PEM; its passphrase with --passphrase-file",
        ) from None


def _asyncssh() -> Any:
    try:
        import asyncssh  # noqa: PLC0415 - an extra, and heavy
    except ImportError:
        raise TransportMissing("SFTP needs the package asyncssh", hint="uv add 'symbolon[sftp]'") from None
    # it tells users and file names at INFO
    if asyncssh.logging.logger.getEffectiveLevel() < logging.WARNING:
        asyncssh.set_log_level(logging.WARNING)
    return asyncssh


@contextlib.contextmanager
def told(name: str = "") -> Iterator[None]:  # noqa: C901, PLR0912 - a table, one row a line
    """Give what asyncssh raises as a fault of a transport; its own text is left out."""
    asyncssh = _asyncssh()
    try:
        yield
    except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath):
        raise RemoteMissing(f"there is no file `{name}`" if name else "it is not there any more") from None
    except asyncssh.SFTPFileAlreadyExists:
        raise RemoteExists(f"`{name}` is there already") from None
    except (asyncssh.SFTPPermissionDenied, asyncssh.SFTPWriteProtect):
        raise TransportDenied(
            "the SFTP server does not allow it", hint="check the rights of the user on this folder there"
        ) from None
    except (asyncssh.SFTPNoSpaceOnFilesystem, asyncssh.SFTPQuotaExceeded):
        raise TransportFull("there is no space left on the SFTP server") from None
    except (asyncssh.SFTPConnectionLost, asyncssh.SFTPNoConnection):
        raise TransportUnreachable("the connection to the SFTP server was lost") from None
    except asyncssh.SFTPOpUnsupported:
        raise TransportRefused("the SFTP server does not know this operation") from None
    except asyncssh.SFTPError as error:
        raise TransportRefused("the SFTP server failed", details={"answer": error.code}) from None
    except asyncssh.HostKeyNotVerifiable:
        raise HostKeyChanged("the SFTP server shows another host key than the pinned one") from None
    except asyncssh.KeyExchangeFailed:
        raise HostKeyChanged(
            "the SFTP server has no host key of the pinned kind, or no cipher in common with us"
        ) from None
    except asyncssh.PermissionDenied:
        raise TransportDenied(
            "the SFTP server refuses the user: wrong name, key or password",
            hint="compare the user and the key or password with what the host's owner gave you",
        ) from None
    except asyncssh.ChannelOpenError:
        raise TransportRefused(
            "the SSH server opens no SFTP session", hint="is the subsystem sftp switched on there?"
        ) from None
    except (asyncssh.Error, TimeoutError, OSError, EOFError) as error:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise TransportFull("our own disk is full", hint="free space here, then run it again") from None
        raise TransportUnreachable(
            f"the SFTP server does not answer, or the connection broke ({type(error).__name__})"
        ) from None


def missing_root() -> RootMissing:
    """Give the fault of a root that is not there."""
    return RootMissing("the folder that the transport names does not exist on the SFTP server")
