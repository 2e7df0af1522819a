"""Where files come from and go to: local folders, S3 and SFTP, behind one Protocol."""

from symbolon.transports.below import Below
from symbolon.transports.errors import (
    HostKeyChanged,
    HostKeyUnknown,
    NameRefused,
    RemoteChanged,
    RemoteExists,
    RemoteMissing,
    RootMissing,
    SourceChanged,
    TransportDenied,
    TransportFull,
    TransportInvalid,
    TransportMissing,
    TransportRefused,
    TransportUnreachable,
)
from symbolon.transports.opening import fingerprint, is_url, learn_host_key, open_transport, scheme, server_of
from symbolon.transports.paths import checked
from symbolon.transports.probing import failed
from symbolon.transports.retrying import Retrying
from symbolon.transports.transport import Probe, RemoteFile, Transport

__all__ = [
    "Below",
    "HostKeyChanged",
    "HostKeyUnknown",
    "NameRefused",
    "Probe",
    "RemoteChanged",
    "RemoteExists",
    "RemoteFile",
    "RemoteMissing",
    "Retrying",
    "RootMissing",
    "SourceChanged",
    "Transport",
    "TransportDenied",
    "TransportFull",
    "TransportInvalid",
    "TransportMissing",
    "TransportRefused",
    "TransportUnreachable",
    "checked",
    "failed",
    "fingerprint",
    "is_url",
    "learn_host_key",
    "open_transport",
    "scheme",
    "server_of",
]
