"""What holds for all tests: Hypothesis has no deadline, because no test may depend on timing; one Spark a process."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Iterator

# relations are made of many small objects: looking for garbage as often as usual took a tenth of all tests
gc.set_threshold(200_000, 30, 30)
settings.register_profile("house", deadline=None, print_blob=True)
settings.load_profile("house")


#: a thousand statements over a few rows: compiling each takes longer than computing it
HASTY = {
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.adaptive.enabled": "false",
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
}


@pytest.fixture(scope="session")
def warm_spark(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[None]:
    """Keeps Spark up between tests: starting it takes seconds, a session in it none.

    Only the daily run is in haste; `./run test-slow` runs the same tests with Spark as it is set up for users.
    """
    from symbolon.lake.spark import SparkEngine

    options = {"spark.sql.shuffle.partitions": "2", "spark.default.parallelism": "2"}
    if "not slow" in pytestconfig.option.markexpr:
        options |= HASTY
    with SparkEngine(tmp_path_factory.mktemp("spark"), "local[2]", options=options):
        yield
