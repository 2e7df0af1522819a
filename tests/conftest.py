"""What holds for all tests: Hypothesis has no deadline, because no test may depend on timing."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("house", deadline=None, print_blob=True)
settings.load_profile("house")
