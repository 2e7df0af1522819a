"""The public kit for tests: suites that every engine and every store must pass.

Not imported by the package itself, because it needs pytest. A second implementation proves itself by one subclass::

    class TestMyEngine(EngineConformance):
        @pytest.fixture
        def engine(self, lake): ...
"""

from symbolon.testing.engines import EngineConformance
from symbolon.testing.stores import StoreConformance

__all__ = ["EngineConformance", "StoreConformance"]
