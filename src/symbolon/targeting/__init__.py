"""Targeting workflows: a graph of activities that is checked, planned and run."""

from symbolon.targeting.activities.scheduler import SchedulerOptions, next_times
from symbolon.targeting.activity import Activity, Mode
from symbolon.targeting.definition import Workflow
from symbolon.targeting.delivering import (
    DEFERRED,
    REFUSED,
    SENT,
    UNCERTAIN,
    Deliveries,
    DeliveryFault,
    DeliveryOutcome,
    DeliveryReceipt,
    DeliveryRequest,
)
from symbolon.targeting.describing import Option, options_of
from symbolon.targeting.forms import Conditions
from symbolon.targeting.kinds import known
from symbolon.targeting.members import Members
from symbolon.targeting.planning import Plan
from symbolon.targeting.population import Population
from symbolon.targeting.publishing import (
    Content,
    ExportReceipt,
    Library,
    SaveMode,
    SaveRequest,
    ShareMode,
    ShareOutcome,
    ShareRequest,
)
from symbolon.targeting.reading import read_workflow
from symbolon.targeting.surroundings import Surroundings
from symbolon.targeting.walking import Passed
from symbolon.targeting.workflows import WORK, Workflows

__all__ = [
    "DEFERRED",
    "REFUSED",
    "SENT",
    "UNCERTAIN",
    "WORK",
    "Activity",
    "Conditions",
    "Content",
    "Deliveries",
    "DeliveryFault",
    "DeliveryOutcome",
    "DeliveryReceipt",
    "DeliveryRequest",
    "ExportReceipt",
    "Library",
    "Members",
    "Mode",
    "Option",
    "Passed",
    "Plan",
    "Population",
    "SaveMode",
    "SaveRequest",
    "SchedulerOptions",
    "ShareMode",
    "ShareOutcome",
    "ShareRequest",
    "Surroundings",
    "Workflow",
    "Workflows",
    "known",
    "next_times",
    "options_of",
    "read_workflow",
]
