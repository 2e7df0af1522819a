"""What people define and the store keeps by name and version: workflows, transports, shares, feeds, senders."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - msgspec reads the annotation at run time
from enum import StrEnum

import msgspec


class DefinitionKind(StrEnum):
    """What a definition is of. Names are unique within a kind."""

    WORKFLOW = "workflow"  #: a targeting workflow
    TRANSPORT = "transport"  #: a place that files come from and go to
    SHARE = "share"  #: a shared audience of another solution that we add people to
    FEED = "feed"  #: files that the technical workflow imports as they arrive
    ACTIVATION = "activation"  #: an audience that the technical workflow exports when it changes
    SENDER = "sender"  #: what messages are sent by


class Definition(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a definition. What the body holds is known to the room it belongs to."""

    kind: DefinitionKind
    name: str
    #: from 1, without gaps; old versions stay until the name is deleted
    version: int = 0
    #: JSON; never a secret
    body: str = "{}"
    #: a wrapped secret (`symbolon.keys`); None = none
    secret: bytes | None = None
    created: datetime | None = None
