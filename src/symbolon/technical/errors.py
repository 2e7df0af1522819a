"""What can go wrong with technical workflows."""

from __future__ import annotations

from symbolon.errors import DefinitionError


class FeedInvalid(DefinitionError):
    """A feed or an activation does not hold together: all its faults are told."""

    code = "feed.invalid"


class ArrivalUnknown(DefinitionError):
    """No such file set ever arrived for this feed, or it is not there to be replayed."""

    code = "feed.arrival"


class AddressRefused(DefinitionError):
    """`symbolon serve` cannot listen where it should: the port is taken, or it is no address of this machine."""

    code = "serve.address"
