"""Technical workflows: what imports and exports by itself, and how it is doing."""

from symbolon.technical.activations import Activation, Activations
from symbolon.technical.feeds import Feed, Feeds
from symbolon.technical.health import Health, HealthItem, HealthState
from symbolon.technical.replaying import Replayer
from symbolon.technical.schedules import Schedules
from symbolon.technical.watching import Watcher
from symbolon.technical.worker import Worker

__all__ = [
    "Activation",
    "Activations",
    "Feed",
    "Feeds",
    "Health",
    "HealthItem",
    "HealthState",
    "Replayer",
    "Schedules",
    "Watcher",
    "Worker",
]
