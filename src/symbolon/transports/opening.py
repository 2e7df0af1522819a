"""From a URL to a transport. The libraries of S3 and SFTP are imported when such a transport is wanted.

Invariant: a password in a URL is refused before anything else is done with it, and neither it nor the URL is repeated.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from symbolon.transports.errors import HostKeyUnknown, TransportInvalid, TransportMissing
from symbolon.transports.options import Options
from symbolon.transports.paths import fault
from symbolon.transports.retrying import Retrying

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from urllib.parse import SplitResult

    from symbolon.transports.transport import Transport

SCHEMES = ("file", "s3", "sftp")
_MEBIBYTE = 1 << 20


def open_transport(
    url: str, options: Mapping[str, str] | None = None, secret: Mapping[str, str] | None = None, *, base: Path
) -> Transport:
    """Open a transport; connections are made when they are first needed.

    Args:
        url: `file:///abs/path` or a plain path, `s3://bucket/prefix`, `sftp://user@host:port/root` (`/~/folder` is
            below where the user comes in).
        options: as docs/guide/transports.md lists them.
        secret: `password`, or `private_key` and `passphrase`, or `access_key_id`, `secret_access_key` and
            `session_token`.
        base: what a plain relative path is relative to.

    Raises:
        TransportInvalid: URL, options and secret do not hold together; all faults at once.
        HostKeyUnknown: an SFTP server without a pinned host key.
        TransportMissing: the extra for this kind is not installed.
    """
    kind = scheme(url)
    if kind == "file":
        return _local(url, Options("file", options or {}, secret), base)
    if kind == "s3":
        return _s3(_split(url), Options("s3", options or {}, secret))
    return _sftp(_split(url), Options("sftp", options or {}, secret))


def scheme(url: str) -> str:
    """Give the kind of a transport: `file` for a plain path.

    Raises:
        TransportInvalid: a kind that is not known, or a URL with a password.
    """
    if not is_url(url):
        return "file"
    found = _split(url).scheme
    if found not in SCHEMES:
        raise TransportInvalid(
            f"transports of the kind `{found[:16]}` are not known", hint=f"known: {', '.join(SCHEMES)}"
        )
    return found


def is_url(text: str) -> bool:
    """Tell whether it is a URL rather than a path or a name."""
    return "://" in text


def server_of(url: str) -> tuple[str, int]:
    """Give host and port of an SFTP URL.

    Raises:
        TransportInvalid: it is none, or names no host.
    """
    parts = _split(url)
    if parts.scheme != "sftp" or not parts.hostname:
        raise TransportInvalid("only a URL of the kind sftp://user@host/folder has a host key")
    return parts.hostname, _port(parts) or 22


def learn_host_key(host: str, port: int) -> tuple[str, str]:
    """Ask an SFTP server for its host key, without logging in; give the key and its fingerprint (`SHA256:…`).

    Raises:
        TransportMissing: asyncssh is not installed.
        TransportUnreachable: nobody answers there.
    """
    from symbolon.transports.sftpsession import learn_host_key as learn  # noqa: PLC0415 - an extra

    return learn(host, port)


def fingerprint(host_key: str) -> str:
    """Give the fingerprint of a host key as OpenSSH shows it.

    Raises:
        TransportInvalid: it is no public key.
    """
    from symbolon.transports.sftpsession import fingerprint as of  # noqa: PLC0415 - an extra

    return of(host_key)


def _local(url: str, options: Options, base: Path) -> Transport:
    from symbolon.transports.local import LocalTransport  # noqa: PLC0415 - one of three

    mode = options.number("mode", 0o600, most=0o777, base=8)
    if is_url(url):
        parts = _split(url)
        if parts.netloc not in ("", "localhost"):
            options.faults.append("a file URL has three slashes: file:///folder")
        path = unquote(parts.path)
    else:
        path = os.path.expanduser(url)  # noqa: PTH111 - a text that may be anything
    if not path or "\0" in path:
        options.faults.append("the path is empty, or no path")
    options.done()
    return LocalTransport(base / path, mode=mode)


def _s3(parts: SplitResult, options: Options) -> Transport:
    from symbolon.transports.s3 import S3Transport, S3Writing  # noqa: PLC0415 - one of three
    from symbolon.transports.s3client import S3Settings  # noqa: PLC0415

    prefix = unquote(parts.path).strip("/")
    if not parts.hostname or parts.username:
        options.faults.append("the URL is s3://bucket/prefix")
    if prefix and fault(prefix):
        options.faults.append(f"the prefix: {fault(prefix)}")
    settings = S3Settings(
        endpoint_url=options.text("endpoint_url"),
        region=options.text("region"),
        addressing=options.choice("addressing", ("path", "virtual")),
        access_key_id=options.secret("access_key_id"),
        secret_access_key=options.secret("secret_access_key"),
        session_token=options.secret("session_token"),
        connect_timeout_s=options.number("connect_timeout", 10, least=1, most=3600),
        read_timeout_s=options.number("read_timeout", 60, least=1, most=3600),
    )
    writing = S3Writing(
        sse=options.choice("sse", ("AES256", "aws:kms", "aws:kms:dsse")),
        sse_key_id=options.text("sse_key_id"),
        acl=options.choice("acl", ("private", "bucket-owner-read", "bucket-owner-full-control")),
        multipart_above=options.number("multipart_above", 16 * _MEBIBYTE, least=5 * _MEBIBYTE, most=1 << 30),
        part_size=options.number("part_size", 16 * _MEBIBYTE, least=5 * _MEBIBYTE, most=1 << 30),
        conditional=options.choice("conditional", ("on", "off"), "on") != "off",
    )
    attempts = options.number("attempts", 5, least=1, most=50)
    if bool(settings.access_key_id) != bool(settings.secret_access_key):
        options.faults.append("an access key has two parts: its id and its secret")
    if writing.sse_key_id and not writing.sse.startswith("aws:kms"):
        options.faults.append("sse_key_id belongs to sse=aws:kms")
    endpoint = settings.endpoint_url
    if endpoint and not endpoint.startswith(("http://", "https://")):
        options.faults.append("endpoint_url begins with https:// or http://")
    if "@" in endpoint.partition("://")[2].partition("/")[0]:
        options.faults.append("endpoint_url holds no user and no password")
    options.done()
    _need("boto3", "s3", "S3")
    return S3Transport(parts.netloc, prefix, settings=settings, writing=writing, retrying=Retrying(attempts=attempts))


def _sftp(parts: SplitResult, options: Options) -> Transport:
    from symbolon.transports.sftp import SftpTransport  # noqa: PLC0415 - one of three
    from symbolon.transports.sftpsession import SftpSettings  # noqa: PLC0415

    path = unquote(parts.path)
    root = path[3:] or "." if path.startswith("/~/") else "." if path == "/~" else path or "/"
    if not parts.hostname or not parts.username:
        options.faults.append("the URL is sftp://user@host:port/folder")
    if "\0" in root or ".." in root.split("/"):
        options.faults.append("the folder holds `..`, or is no path")
    host_key = options.text("host_key")
    mode = options.number("mode", -1, most=0o777, base=8)
    attempts = options.number("attempts", 5, least=1, most=50)
    settings = SftpSettings(
        host=parts.hostname or "",
        port=_port(parts) or 22,
        user=unquote(parts.username or ""),
        root=root,
        host_keys=tuple(line.strip() for line in host_key.replace(",", "\n").splitlines() if line.strip()),
        password=options.secret("password"),
        private_key=options.secret("private_key"),
        passphrase=options.secret("passphrase"),
        connect_timeout_s=options.number("connect_timeout", 15, least=1, most=3600),
        keepalive_s=options.number("keepalive", 15, least=1, most=3600),
    )
    if not settings.password and not settings.private_key:
        options.faults.append("an SFTP server wants a password or a key (--password-file, --key-file)")
    options.done()
    _need("asyncssh", "sftp", "SFTP")
    if not settings.host_keys:
        raise HostKeyUnknown(
            "the host key of the SFTP server is not known yet",
            hint="symbolon transport add NAME URL shows its fingerprint; pin it with --host-key KEY, or with "
            "--accept-host-key after you have compared it",
        )
    return SftpTransport(settings, mode=mode if mode >= 0 else None, retrying=Retrying(attempts=attempts))


def _need(module: str, extra: str, kind: str) -> None:
    from importlib.util import find_spec  # noqa: PLC0415

    if find_spec(module) is None:
        raise TransportMissing(f"{kind} needs the package {module}", hint=f"uv add 'symbolon[{extra}]'")


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise TransportInvalid(
            "the URL cannot be read", hint="sftp://user@host:port/folder, s3://bucket/prefix"
        ) from None
    if parts.password is not None:
        raise TransportInvalid(
            "a URL holds no password: it would be stored, shown and logged",
            hint="take it out, and give --password-file FILE or --key-file FILE; then change the password, it is known",
        )
    if parts.query or parts.fragment:
        raise TransportInvalid(
            "a URL of a transport ends with its folder: no `?` and no `#`", hint="options are given with --option k=v"
        )
    return parts


def _port(parts: SplitResult) -> int | None:
    return parts.port
