"""The public kit for tests: suites for engines, stores and transports, two engines as one, and a faulty transport.

Not imported by the package itself, because it needs pytest. A second implementation proves itself by one subclass::

    class TestMyEngine(EngineConformance):
        @pytest.fixture
        def engine(self, lake): ...

What it cannot do stands in its `exceptions`: `notimpl(reason)` for what is still to be done, `never(reason)` for what
makes no sense there.
"""

from symbolon.testing.engines import EngineConformance
from symbolon.testing.faulty import Faults, FaultyTransport
from symbolon.testing.marks import Conformance, never, notimpl
from symbolon.testing.parity import BothEngines, EnginesDiffer
from symbolon.testing.stores import StoreConformance
from symbolon.testing.transports import TransportConformance

__all__ = [
    "BothEngines",
    "Conformance",
    "EngineConformance",
    "EnginesDiffer",
    "Faults",
    "FaultyTransport",
    "StoreConformance",
    "TransportConformance",
    "never",
    "notimpl",
]
