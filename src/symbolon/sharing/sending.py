"""A delivery that is written down, file by file to where it goes; and what of it is known to have arrived.

Invariants: before the first file leaves it is written down that one may have, and after each that it did. A name that
is taken is not ours, unless the delivery was begun by somebody who could not tell any more: then the content decides.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import msgspec

from symbolon.errors import TransportError
from symbolon.transports import RemoteChanged, RemoteExists, RemoteMissing, TransportDenied

if TYPE_CHECKING:
    from collections.abc import Sequence

    from symbolon.sharing.delivering import File
    from symbolon.sharing.shares import Delivery, Share, Shares
    from symbolon.transports.transport import Transport

#: how often a name may turn out to be taken though nothing was there before
_MOST_NAMES = 8


class NotDelivered(Exception):
    """It failed, and it is sure that nothing has arrived; the error is the cause."""


class Sending:
    """The files of one delivery on their way.

    Args:
        shares: where it is written down how far it got.
        transport: where they go.
        moment: id of the run that the files have their second from.
    """

    def __init__(self, shares: Shares, transport: Transport, moment: str) -> None:
        self._shares = shares
        self._transport = transport
        self._moment = moment

    def stamped(self, delivery: Delivery, files: Sequence[File]) -> Delivery:
        """Give a delivery its second: one in which none of its names is taken. The place is known to answer then."""
        while True:
            stamped = msgspec.structs.replace(delivery, stamp=self._shares.stamp(self._moment))
            if all(self._transport.stat(file.name(stamped)) is None for file in files):
                return stamped

    def put(self, share: Share, files: Sequence[File]) -> Share:
        """Put the files of the pending delivery that have not arrived yet; give the share as it stands then.

        Raises:
            NotDelivered: it failed, and nothing has arrived.
            TransportError: it failed, and some may have arrived.
        """
        resumed = _pending(share).begun
        if not resumed:
            share = self._noted(share, msgspec.structs.replace(_pending(share), begun=True))
        for place, file in enumerate(files):
            if file.key in _pending(share).arrived:
                continue
            try:
                share = self._put(share, files[place:], resumed=resumed)
            except TransportError as error:
                if not resumed and not _pending(share).arrived and not error.may_have_arrived:
                    raise NotDelivered from error
                raise
        return share

    def _put(self, share: Share, left: Sequence[File], *, resumed: bool) -> Share:
        """Put the first of the files that are left."""
        for again in range(_MOST_NAMES):
            delivery, file = _pending(share), left[0]
            name = file.name(delivery)
            try:
                self._transport.put(file.part.path, name, is_spare=True)  # rendered for this alone
            except RemoteExists:
                if not (resumed and again == 0 and self._is_ours(file, name)):
                    if again + 1 == _MOST_NAMES:
                        raise
                    share = self._noted(share, self.stamped(delivery, left))
                    continue
            return self._noted(share, msgspec.structs.replace(delivery, arrived={**delivery.arrived, file.key: name}))
        raise AssertionError  # the last turn returns or raises

    def _is_ours(self, file: File, name: str) -> bool:
        """Tell whether a file that is there has this content. Where it may not be read, nobody can say so."""
        there = self._transport.stat(name)
        if there is None or there.size_bytes != file.part.size_bytes:
            return False
        copy = file.part.path.with_name("there")
        try:
            self._transport.fetch(name, copy)
            with copy.open("rb") as theirs, file.part.path.open("rb") as ours:
                return hashlib.file_digest(theirs, "sha256").digest() == hashlib.file_digest(ours, "sha256").digest()
        except (RemoteMissing, RemoteChanged, TransportDenied):
            return False
        finally:
            copy.unlink(missing_ok=True)

    def _noted(self, share: Share, delivery: Delivery) -> Share:
        return self._shares.move(share, msgspec.structs.replace(share.state, pending=delivery))


def _pending(share: Share) -> Delivery:
    assert share.state.pending is not None  # noqa: S101 - it was written down
    return share.state.pending
