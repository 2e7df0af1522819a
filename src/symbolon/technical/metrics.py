"""The same facts as Prometheus metrics, read from the store when they are asked for.

Invariant: labels are names of definitions and codes, never identifiers. All are gauges: they tell what the store holds
now, and a set that comes again, or is replayed, changes its state.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from symbolon.technical.health import HealthState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from prometheus_client import Metric

    from symbolon.store import Store
    from symbolon.technical.feeds import Feeds
    from symbolon.technical.health import Health

_STATES = {HealthState.PASS: 0, HealthState.WARN: 1, HealthState.FAIL: 2}


class ProjectCollector(Collector):
    """Gives the metrics of one project."""

    def __init__(self, *, store: Store, feeds: Feeds, health: Health) -> None:
        self._store = store
        self._feeds = feeds
        self._health = health

    def collect(self) -> Iterable[Metric]:
        """Give all metrics."""
        yield from self._arrivals()
        runs = GaugeMetricFamily("symbolon_runs", "Runs that are kept, by work and state.", labels=["work", "state"])
        counted = Counter((run.work, run.state.value) for run in self._store.runs(10_000))
        for (work, state), number in sorted(counted.items()):
            runs.add_metric([work, state], number)
        yield runs
        members = GaugeMetricFamily("symbolon_audience_members", "Members of an audience.", labels=["audience"])
        for audience in self._store.audiences():
            members.add_metric([audience.name], audience.members)
        yield members
        health = GaugeMetricFamily("symbolon_health", "0 = pass, 1 = warn, 2 = fail.", labels=["name"])
        for item in self._health.items():
            health.add_metric([item.name], _STATES[item.state])
        yield health
        age = self._health.heartbeat_age_s()
        if age is not None:
            yield GaugeMetricFamily(
                "symbolon_worker_heartbeat_age_seconds", "Seconds since a worker was last heard of.", value=age
            )

    def _arrivals(self) -> Iterable[Metric]:
        arrivals = GaugeMetricFamily("symbolon_arrivals", "File sets that are known.", labels=["feed", "state"])
        rejected = GaugeMetricFamily(
            "symbolon_arrivals_rejected", "Rejected records of these.", labels=["feed", "reason"]
        )
        seconds = GaugeMetricFamily("symbolon_arrivals_seconds", "Seconds that their imports took.", labels=["feed"])
        last = GaugeMetricFamily("symbolon_last_arrival_timestamp_seconds", "When it last arrived.", labels=["feed"])
        for feed in self._feeds.list():
            found = self._store.arrivals(feed.name, limit=100_000)
            for state, number in sorted(Counter(one.state.value for one in found).items()):
                arrivals.add_metric([feed.name, state], number)
            reasons: Counter[str] = Counter()
            for one in found:
                receipts: Any = one.facts.get("receipts", [])
                for receipt in receipts:
                    reasons.update(receipt.get("rejected", {}))
            for reason, number in sorted(reasons.items()):
                rejected.add_metric([feed.name, reason], number)
            seconds.add_metric([feed.name], sum(float(str(one.facts.get("seconds", 0))) for one in found))
            newest = self._health.last_arrival(feed)
            if newest is not None and newest.changed is not None:
                last.add_metric([feed.name], newest.changed.timestamp())
        yield from (arrivals, rejected, seconds, last)


def registry_of(*, store: Store, feeds: Feeds, health: Health) -> CollectorRegistry:
    """Give a registry that has the metrics of one project."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(ProjectCollector(store=store, feeds=feeds, health=health))
    return registry
