"""What can go wrong between us and another side. None of these says a user, a password or a key."""

from __future__ import annotations

from symbolon.errors import DefinitionError, TransportError


class TransportInvalid(DefinitionError):
    """The URL, an option or the secret of a transport does not hold together; all faults are listed at once."""

    code = "transport.invalid"


class TransportMissing(TransportError):
    """The library that speaks with this kind of place is not installed."""

    code = "transport.extra"


class NameRefused(TransportError):
    """A name leads out of the root of the transport, or holds what no file name should."""

    code = "transport.name"
    default_hint = "names are paths below the root, with `/`: no `..`, no control characters, no backslash"


class RootMissing(TransportError):
    """The folder or the bucket that the transport names is not there."""

    code = "transport.root"
    default_hint = "make the folder or the bucket, or correct the URL: symbolon transport edit NAME --url URL"


class RemoteMissing(TransportError):
    """There is no such file on the other side."""

    code = "transport.missing"
    default_hint = "list what is there: symbolon transport test NAME"


class RemoteExists(TransportError):
    """There is a file of this name already, and it is not to be replaced. It was not changed."""

    code = "transport.exists"
    default_hint = "choose another name, or delete what is there first"


class RemoteChanged(TransportError):
    """The file changed while it was read, or is not the one that was listed. What was read is thrown away."""

    code = "transport.changed"
    default_hint = "wait until the sender has finished, then run the same command again"


class SourceChanged(TransportError):
    """Our own file changed while it was sent. Nothing was delivered."""

    code = "transport.source"
    default_hint = "send it again when nothing writes to it any more"


class TransportUnreachable(TransportError):
    """The other side does not answer, or the connection broke; trying again, with growing pauses, did not help."""

    code = "transport.unreachable"
    retryable = True
    default_hint = "check host, port and network, then run the same command again"


class TransportDenied(TransportError):
    """The other side refuses the user, the key or the password, or does not allow what was asked for."""

    code = "transport.denied"
    default_hint = "check user, key and rights on the other side: symbolon transport test NAME"


class TransportRefused(TransportError):
    """The other side cannot or will not do it, and it is not a matter of rights."""

    code = "transport.refused"
    default_hint = "see what works: symbolon transport test NAME"


class TransportFull(TransportError):
    """There is no space left, or a quota is used up. Nothing was delivered, and no half file is left."""

    code = "transport.full"
    default_hint = "free space there, then run the same command again"


class HostKeyUnknown(TransportError):
    """Nobody has said yet which key the SFTP server has, so nobody could tell it from another one."""

    code = "transport.host_key_unknown"


class HostKeyChanged(TransportError):
    """The SFTP server shows another key than the one that was pinned. Nothing was sent, not even a password."""

    code = "transport.host_key_changed"
    default_hint = (
        "ask the host's owner whether the key was changed; only then: symbolon transport edit NAME --host-key KEY"
    )
