"""A million hostile lines, every one accounted for, for at most 15 seconds."""

from __future__ import annotations

from fuzz_files import fuzz


def test_a_million_hostile_lines():
    assert fuzz(1_000_000, seed=20_240_501, seconds=15) > 0
