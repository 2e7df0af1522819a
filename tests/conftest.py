"""What holds for all tests: Hypothesis has no deadline, because no test may depend on timing; one Spark a process."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Iterator

# as the command line has it: relations are made of many small objects; looking for garbage took a tenth of all tests
gc.set_threshold(200_000, 30, 30)
settings.register_profile("house", deadline=None, print_blob=True)
settings.load_profile("house")


@pytest.fixture(scope="session")
def warm_spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keeps Spark up between tests: starting it takes seconds, a session in it none."""
    from symbolon.lake.spark import SparkEngine

    few = {"spark.sql.shuffle.partitions": "2", "spark.default.parallelism": "2"}
    with SparkEngine(tmp_path_factory.mktemp("spark"), "local[2]", options=few):
        yield
