"""What an activity opens is closed when it ends: in a run, in a plan, and where it fails."""

from __future__ import annotations

from pathlib import Path

import pytest
from workflow_shop import prepare_many

from symbolon.errors import SymbolonError, TransportError
from symbolon.records import RunState

MOVES = """\
name: moves
activities:
  - {id: people, type: query}
  - {id: written, type: extract_file, from: people, file: out/people.csv, transport: partner, timestamp: false,
     columns: {email: email}}
  - {id: listed, type: transfer_file, from: written, action: list, transport: partner, file: "out/*"}
  - {id: fetched, type: transfer_file, from: listed, action: download, transport: partner, file: "out/*"}
  - {id: loaded, type: load_file, from: fetched, file: "out/*.csv", transport: partner, columns: {email: text}}
"""
BROKEN = """\
name: broken
activities:
  - {id: loaded, type: load_file, file: nothing.csv, transport: partner, columns: {email: text}}
"""


class Connections:
    """Counts the transports of a project that are open."""

    def __init__(self, project, monkeypatch: pytest.MonkeyPatch) -> None:
        self.opened, self.open = 0, 0
        really = project.transports.open

        def opening(name: str, **options):
            transport = really(name, **options)
            closes = transport.close
            self.opened += 1
            self.open += 1

            def close() -> None:
                self.open -= 1
                closes()
                raise TransportError("gone away before it was greeted")

            monkeypatch.setattr(transport, "close", close)
            return transport

        monkeypatch.setattr(project.transports, "open", opening)


@pytest.fixture
def connections(shop, monkeypatch: pytest.MonkeyPatch) -> Connections:
    prepare_many(shop)
    return Connections(shop, monkeypatch)


def test_a_run_leaves_no_transport_open(shop, connections) -> None:
    run = shop.workflows.run(shop.workflows.read(MOVES))
    assert run.state is RunState.DONE
    assert (connections.opened, connections.open) == (4, 0)
    assert Path(shop.settings.project / "inbox" / "people.csv").is_file()


def test_a_plan_leaves_no_transport_open(shop, connections) -> None:
    (shop.settings.project / "partner" / "out").mkdir()
    (shop.settings.project / "partner" / "out" / "a.csv").write_text("email\na@example.com\n")
    shop.workflows.plan(shop.workflows.read(MOVES))
    assert connections.opened >= 3
    assert connections.open == 0


def test_an_activity_that_fails_leaves_none_open_either(shop, connections) -> None:
    with pytest.raises(SymbolonError) as caught:
        shop.workflows.run(shop.workflows.read(BROKEN))
    assert caught.value.code == "file.missing"
    assert (connections.opened, connections.open) == (1, 0)
