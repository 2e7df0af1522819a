"""Hostile lines, every one accounted for; `python tests/files/fuzz_files.py LINES SEED` takes more."""

from __future__ import annotations

import pytest
from fuzz_files import fuzz


def test_many_hostile_lines():
    assert fuzz(100_000, seed=20_240_505) >= 100_000


@pytest.mark.slow
@pytest.mark.parametrize("seed", [20_240_501, 20_240_502, 20_240_503, 20_240_504])
def test_a_million_hostile_lines(seed):
    assert fuzz(250_000, seed=seed) >= 250_000
