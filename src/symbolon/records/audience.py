"""An audience and its versions. Rows live in the lake; these values say where, how many, and how they came."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - msgspec reads the annotation at run time
from enum import StrEnum

import msgspec

from symbolon.records.receipt import Receipt  # noqa: TC001


class AudienceType(StrEnum):
    """How an audience came to be and what its rows are."""

    SHARED = "shared"  #: imported; one row an accepted ID, with its profile or the reason why none
    FILE = "file"  #: decrypted addresses; targeting dimension unknown until reconciled
    LIST = "list"  #: a fixed list of profiles
    QUERY = "query"  #: a rule, evaluated at use


class Origin(StrEnum):
    """What made a version."""

    IMPORT = "import"
    REFRESH = "refresh"
    ROLLBACK = "rollback"
    RECONCILE = "reconcile"
    WORKFLOW = "workflow"  #: Save audience
    DEFINE = "define"  #: the rule of a Query audience
    FREEZE = "freeze"  #: the members of a Query audience, kept as they are


class Audience(msgspec.Struct, frozen=True, kw_only=True):
    """One audience, without its rows."""

    id: int = 0
    #: unique in the project
    name: str
    type: AudienceType
    #: id of the data source it is imported from; None for a List
    source_id: int | None = None
    #: code of the segment in the files; empty for simple lists
    segment: str = ""
    #: targeting dimension: `profile`, or empty while it is unknown (a File audience)
    dimension: str = "profile"
    #: rule of a Query audience, in SQL syntax; evaluated at use
    rule: str = ""
    description: str = ""
    #: name of the workflow that saves it; empty = none
    workflow: str = ""
    #: when it is deleted by itself; None = never
    expires: datetime | None = None
    #: when `members` was counted, for a Query audience; None = `members` is exact
    counted: datetime | None = None
    #: the version that readers see; 0 = none was published yet
    version: int = 0
    #: members of that version
    members: int = 0
    created: datetime | None = None
    modified: datetime | None = None


class AudienceVersion(msgspec.Struct, frozen=True, kw_only=True):
    """One published version. `version` is our own sequence, from 1, never the lake's."""

    audience_id: int
    version: int
    origin: Origin
    run_id: str
    #: lake version of the audience's rows
    rows_version: int
    #: lake version of its rejected records; None = no such table yet
    rejects_version: int | None = None
    members: int = 0
    receipt: Receipt
    #: timestamp in the file's name, in milliseconds UTC; None = the name has none
    file_timestamp: int | None = None
    #: digest of file set, source, segment and settings
    content_digest: str = ""
    #: profiles revision that was matched against
    profiles_revision: int = 0
    created: datetime
