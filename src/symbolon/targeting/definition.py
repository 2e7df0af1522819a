"""A workflow as people write it: typed values, before it is known whether they make sense together.

    symbolon: 1
    name: monthly-newsletter
    activities:
      - id: subscribers
        type: query
        where: NOT opt_out_email
      - id: save
        type: save_audience
        from: subscribers
        audience: Newsletter

Invariant: `from` names activities (`id`, or `id.transition`); nothing else connects them. JSON of the same shape is
read the same way.

Source of the words: Adobe Campaign Standard, "About workflow activities" and "Activity properties".
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from symbolon.targeting.activity import Activity, Options

#: version of the format that this release reads
FORMAT = 1
#: most activities of one workflow; Adobe Campaign recommends at most 100
MOST_ACTIVITIES = 200


class OnOverlap(StrEnum):
    """What becomes of a run while another one of the same workflow goes on."""

    QUEUE = "queue"  #: it waits
    REFUSE = "refuse"  #: it is an error


class OnError(StrEnum):
    """What becomes of a run when an activity fails.

    Source: Adobe Campaign Standard, "Monitoring workflow execution": suspend or ignore.
    """

    SUSPEND = "suspend"  #: the run pauses there; resumed, it does the activity again
    IGNORE = "ignore"  #: what follows it is skipped, the rest goes on
    STOP = "stop"  #: the run has failed


class Source(msgspec.Struct, frozen=True):
    """Where a transition begins."""

    activity: str
    transition: str

    def __str__(self) -> str:
        return f"{self.activity}.{self.transition}"


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """One activity of a workflow."""

    id: str
    kind: Activity
    options: Options
    #: transitions that come in, in order
    sources: tuple[Source, ...] = ()
    label: str = ""
    #: whether its transitions are computed and kept with the run, to be looked at
    keep: bool = False
    on_error: OnError | None = None
    #: path in the document: `$.activities[2]`
    path: str = ""

    @property
    def outputs(self) -> list[str]:
        """The names of its transitions."""
        return self.kind.outputs(self.options)


class Workflow(msgspec.Struct, frozen=True, kw_only=True):
    """A whole definition, in an order in which each activity comes after those it follows."""

    name: str
    nodes: tuple[Node, ...]
    description: str = ""
    on_overlap: OnOverlap = OnOverlap.QUEUE
    on_error: OnError = OnError.SUSPEND
    #: days for which ended runs and what they kept stay
    keep_days: int = 30
    #: the values as they were read, for the store
    values: dict[str, Any] = {}
    #: the text as it was read
    text: str = ""
    #: path -> line and column in that text
    places: dict[str, tuple[int, int]] = {}
    #: file, or name, for messages
    file: str = ""

    def node(self, activity: str) -> Node | None:
        """Give an activity by its id."""
        return next((node for node in self.nodes if node.id == activity), None)

    def consumers(self, activity: str, transition: str) -> list[Node]:
        """Give the activities that a transition leads to."""
        wanted = Source(activity, transition)
        return [node for node in self.nodes if wanted in node.sources]
