"""Synthetic people and hostile files, seeded: for the demo command, tests, benchmarks and the documentation."""

from symbolon.demo.make import make_demo
from symbolon.demo.plan import DEFAULT_SEED, DemoFile, DemoPlan, DemoSource

__all__ = ["DEFAULT_SEED", "DemoFile", "DemoPlan", "DemoSource", "make_demo"]
