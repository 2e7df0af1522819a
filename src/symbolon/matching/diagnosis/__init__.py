"""Why IDs did not match, found out by trying: the doctor of match rates."""

from symbolon.matching.diagnosis.causes import Cause, Fitting
from symbolon.matching.diagnosis.findings import Explained, explained
from symbolon.matching.diagnosis.sample import LEAST_HITS, Hit, Reading, Sample, Seal, Target
from symbolon.matching.diagnosis.sealed import Secret
from symbolon.matching.diagnosis.search import Clock, Search
from symbolon.matching.diagnosis.tries import Found, Tries

__all__ = [
    "LEAST_HITS",
    "Cause",
    "Clock",
    "Explained",
    "Fitting",
    "Found",
    "Hit",
    "Reading",
    "Sample",
    "Seal",
    "Search",
    "Secret",
    "Target",
    "Tries",
    "explained",
]
