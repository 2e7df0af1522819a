"""What can go wrong with technical workflows."""

from __future__ import annotations

from symbolon.errors import DefinitionError


class FeedInvalid(DefinitionError):
    """A feed or an activation does not hold together: all its faults are told."""

    code = "feed.invalid"


class ArrivalUnknown(DefinitionError):
    """No such file set ever arrived for this feed, or it is not there to be replayed."""

    code = "feed.arrival"


class AddressUnusable(DefinitionError):
    """`symbolon serve` cannot listen there: the host is unknown or elsewhere, or the port is taken."""

    code = "serve.address"
