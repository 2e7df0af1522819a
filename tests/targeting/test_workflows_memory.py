"""What incremental queries remember, when runs are done again or end out of order."""

from __future__ import annotations

from symbolon.records import RunState

NEW = """\
name: fresh
activities:
  - {id: start, type: query, where: "email <> 'nobody'"}
  - {id: new, type: incremental_query, from: start, where: external_id < '%s'}
  - {id: save, type: save_audience, from: new, audience: New, mode: create_unique}
"""


def given(shop, run) -> int:
    (step,) = [step for step in shop.workflows.steps(run.id) if step.step == "new"]
    return step.facts["passed"]["result"]["rows"]


def test_an_older_run_takes_nothing_back(shop) -> None:
    first = shop.workflows.run(shop.workflows.read(NEW % "P010"))
    assert given(shop, first) == 10
    assert given(shop, shop.workflows.run(shop.workflows.read(NEW % "P020"))) == 10
    assert shop.workflows.restart(first.id, "save").state is RunState.DONE
    assert given(shop, shop.workflows.run(shop.workflows.read(NEW % "P020"))) == 0


def test_what_a_restart_gives_is_remembered(shop) -> None:
    run = shop.workflows.run(shop.workflows.read(NEW % "P000"))
    assert given(shop, run) == 0
    more = shop.settings.project.parent / "more.csv"
    more.write_text("external_id,email\nA1,a1@example.com\n", encoding="utf-8")
    shop.profiles.import_file(more)
    again = shop.workflows.restart(run.id, "start")
    assert given(shop, again) == 1
    assert given(shop, shop.workflows.run(shop.workflows.read(NEW % "P000"))) == 0
