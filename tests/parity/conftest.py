"""The test that looks back at what the others have reached comes last, whatever order they are shuffled into."""

from __future__ import annotations

import pytest


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.name == "test_every_place_is_reached")
