"""The words of the domain as frozen values. No behaviour beyond what a value can know about itself."""

from symbolon.records.arrival import Arrival, ArrivalState
from symbolon.records.audience import Audience, AudienceType, AudienceVersion, Origin
from symbolon.records.definition import Definition, DefinitionKind
from symbolon.records.progress import NoProgress, Progress, stage
from symbolon.records.receipt import REJECT_REASONS, UNMATCHED_REASONS, Receipt
from symbolon.records.run import Run, RunState, RunStep, StepState
from symbolon.records.source import Channel, DataSource, Encoding, Kind, OnAmbiguous, Protection

__all__ = [
    "REJECT_REASONS",
    "UNMATCHED_REASONS",
    "Arrival",
    "ArrivalState",
    "Audience",
    "AudienceType",
    "AudienceVersion",
    "Channel",
    "DataSource",
    "Definition",
    "DefinitionKind",
    "Encoding",
    "Kind",
    "NoProgress",
    "OnAmbiguous",
    "Origin",
    "Progress",
    "Protection",
    "Receipt",
    "Run",
    "RunState",
    "RunStep",
    "StepState",
    "stage",
]
