"""A delivery by itself, without a workflow: prepared and sent at one place, as often as a test likes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import ibis

from symbolon.records import Channel
from symbolon.targeting import DeliveryOutcome, DeliveryRequest

MAIL = {"from_address": "news@example.com", "subject": "Hi {{ first_name }}", "text": "You are {{ external_id }}."}
SMS = {"text": "You are {{ external_id }}."}


def request(channel: str = "email", place: str = "runs/r/step/acting", **values: Any) -> DeliveryRequest:
    given = {**(MAIL if channel == "email" else SMS), **values}
    return DeliveryRequest(channel=Channel(channel), place=place, run_id="r/step", **given)


def people(project: Any) -> ibis.Table:
    return project.profiles.current().select("profile_id")


def prepare(project: Any, wanted: DeliveryRequest, population: Any = None) -> dict[str, Any]:
    with project.lake.attempt("test") as directory:
        return told(project, project.deliveries.prepare(wanted, _given(project, population), directory=directory))


def send(project: Any, wanted: DeliveryRequest, population: Any = None) -> dict[str, Any]:
    """Prepare and send; give the receipt, `to` (external IDs) and `reasons`."""
    with project.lake.attempt("test") as directory:
        given = _given(project, population)
        project.deliveries.prepare(wanted, given, directory=directory)
        return told(project, project.deliveries.send(wanted, given, directory=directory))


def _given(project: Any, population: Any) -> ibis.Table:
    return people(project) if population is None else population


def told(project: Any, outcome: DeliveryOutcome) -> dict[str, Any]:
    assert outcome.receipt.faults() == []
    keys = project.profiles.current().select("profile_id", "external_id")
    sent = project.engine.fetch(outcome.people.inner_join(keys, "profile_id"), limit=None).to_pylist()
    others = project.engine.fetch(outcome.complement.left_join(keys, "profile_id"), limit=None).to_pylist()
    return {
        "receipt": outcome.receipt,
        "to": sorted(one["external_id"] for one in sent),
        "reasons": {one["external_id"]: one["reason"] for one in others},
    }


def files(project: Any, ending: str = ".eml") -> list[Path]:
    return sorted((project.settings.project / "outbox" / "messages").rglob(f"*{ending}"))


def texts(project: Any) -> list[dict[str, str]]:
    return [json.loads(path.read_bytes()) for path in files(project, ".json")]
