"""What can go wrong when audiences are imported and kept."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Self

from symbolon.errors import DefinitionError, InputError, PolicyDenied, SecretError, TransportError

if TYPE_CHECKING:
    from symbolon.errors import SymbolonError
    from symbolon.sharing.shares import Share


class SourceError(DefinitionError):
    """The definition of a data source does not hold together; all faults are listed at once."""

    code = "source.invalid"


class SegmentNeeded(DefinitionError):
    """The file holds several segments and nobody said which one is wanted."""

    code = "import.segment"


class SegmentUnknown(InputError):
    """No line of the file names the wanted segment."""

    code = "import.segment_unknown"


class OptionError(DefinitionError):
    """An option means nothing for this data source or this file."""

    code = "import.option"


class TooManyRejected(InputError):
    """More records were rejected than `--max-rejected` allows; nothing was published."""

    code = "import.rejected"


class OlderFile(InputError):
    """The file is older than the last one applied to this audience."""

    code = "import.older"


class WrongKey(SecretError):
    """Hardly any encrypted value could be decrypted: key, IV or encoding are not those of the sender."""

    code = "secret.wrong_key"
    default_hint = (
        "compare key, IV and encoding with the sender's, then: symbolon source edit NAME --key-hex-file FILE --iv HEX"
    )


class SourceMismatch(DefinitionError):
    """The audience belongs to another data source."""

    code = "audience.source"


class AudienceTypeError(DefinitionError):
    """This cannot be done with an audience of this type."""

    code = "audience.type"


class ExpiryError(DefinitionError):
    """The moment at which an audience is to be deleted has passed already."""

    code = "audience.expiry"
    default_hint = "choose a day to come, or `never`"


class VersionUnknown(DefinitionError):
    """The audience has no such version."""

    code = "audience.version"


class ExportOptionError(DefinitionError):
    """The files that are asked for cannot be made of this data source, this segment or these options."""

    code = "export.option"


class ShareMismatch(DefinitionError):
    """What is known to be shared under this name are IDs of another data source, or of another segment."""

    code = "export.share"
    default_hint = "share under another name: --as NAME"


class TransportInUse(DefinitionError):
    """A delivery to this transport was begun and has not come to its end; without it, it never could."""

    code = "transport.in_use"


class ShrinkRefused(PolicyDenied):
    """So many would leave the shared audience that it looks like a mistake; nothing was sent."""

    code = "policy.shrink"
    default_hint = "see what would happen: the same command with --plan; if it is right: --yes, or --max-shrink 100%"


class DeliveryPending(TransportError):
    """A delivery to this shared audience was begun before, and its place does not take the rest of it."""

    code = "export.pending"
    retryable = True

    @classmethod
    def of(cls, share: Share, cause: SymbolonError) -> Self:
        """Say what waits, and what keeps it."""
        pending = share.state.pending
        to = "" if pending is None else f" to `{pending.to}`"
        return cls(
            f"a delivery of `{share.name}`{to} was begun before and cannot be brought to its end: {cause.summary}",
            hint="mend that, and try again; if the place never comes back: "
            f"symbolon share discard {shlex.quote(share.name)}",
            details={"share": share.name, "because": cause.code},
        )


class NothingPending(DefinitionError):
    """No delivery of this shared audience waits to be brought to its end, so there is none to give up."""

    code = "export.nothing_pending"
    default_hint = "symbolon share list shows where each one stands"
