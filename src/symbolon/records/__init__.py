"""The words of the domain as frozen values. No behaviour beyond what a value can know about itself."""

from symbolon.records.audience import Audience, AudienceType, AudienceVersion, Origin
from symbolon.records.progress import NoProgress, Progress, stage
from symbolon.records.receipt import REJECT_REASONS, UNMATCHED_REASONS, Receipt
from symbolon.records.run import Run, RunState
from symbolon.records.source import Channel, DataSource, Encoding, Kind, OnAmbiguous, Protection

__all__ = [
    "REJECT_REASONS",
    "UNMATCHED_REASONS",
    "Audience",
    "AudienceType",
    "AudienceVersion",
    "Channel",
    "DataSource",
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
    "stage",
]
