"""The activities in whole workflows of a real project: from a file to profiles, audiences and a file."""

from __future__ import annotations

import pytest
from flow_context import opened

from symbolon.records import AudienceType
from symbolon.targeting.faults import WorkflowInvalid
from symbolon.targeting.reading import read_workflow

INTAKE = """
symbolon: 1
name: intake
activities:
  - id: begin
    type: external_signal
    parameters:
      town: {type: text, required: true}
      since: {type: date}
  - id: file
    type: load_file
    from: begin
    file: people_${town}.csv
    columns:
      email: {type: text, case: lower}
      n: integer
      yes: boolean
  - id: rejected
    type: extract_file
    from: file.rejects
    file: rejected.csv
    timestamp: false
  - id: known
    type: reconciliation
    from: file
    keys: [{column: email}]
    create_profiles: true
    consent: yes
  - id: write
    type: update_data
    from: known
    operation: update
    key: email
    set: {city: upper(city)}
  - id: enough
    type: test
    from: write
    branches: [{name: many, if: count > 1}]
    else: few
  - id: both
    type: fork
    from: enough.many
    transitions: [keep, send]
  - id: save
    type: save_audience
    from: both.keep
    audience: Intake ${town}
    content: complete
  - id: send
    type: extract_file
    from: both.send
    file: out/${town}.csv.gz
    columns: {mail: email, n: n}
    order_by: email
  - id: together
    type: join
    from: [save, send]
  - id: done
    type: end
    from: together
  - id: nothing
    type: end
    from: enough.few
"""


@pytest.fixture
def flow(tmp_path):
    with opened(tmp_path) as flow:
        (flow.inbox / "people_fr.csv").write_text(
            "email,n,yes\nJohnDoe@example.com,1,yes\nhayden.smith@example.com,2,no\nnew@example.com,3,yes\n"
            "other@example.com,4,no\nlast@example.com,x,yes\n"
        )
        yield flow


def members(flow, name: str) -> int:
    return flow.project.audiences.show(name).members


def test_from_a_file_to_profiles_audiences_and_a_file(flow) -> None:
    workflow = read_workflow(INTAKE, "intake.yaml")
    workflows = flow.project.workflows
    workflows.check(workflow)
    workflows.plan(workflow, {"town": "fr"})
    assert list(flow.outbox.iterdir()) == []
    assert set(flow.profiles()) == {f"C{n}" for n in range(1, 8)}
    run = workflows.run(workflow, {"town": "fr"})
    assert run.state == "done"
    assert flow.profiles()["new@example.com"]["city"] is None
    assert flow.profiles()["C2"]["city"] == "LYON"
    audience = flow.project.audiences.show("Intake fr")
    assert (audience.type, audience.members) == (AudienceType.LIST, 3)
    assert (flow.outbox / "rejected.csv").read_text().splitlines()[1] == '"people_fr.csv",6,"invalid_value","n","x"'
    assert len(list((flow.outbox / "out").iterdir())) == 1
    workflows.run(workflow, {"town": "fr"})
    assert members(flow, "Intake fr") == 3


def test_a_file_audience_is_not_completed_with_people(flow) -> None:
    """Acceptance: the run stops, the old content is untouched; replacing it succeeds and makes it a List audience."""
    workflows = flow.project.workflows
    load = "{id: file, type: load_file, file: people_fr.csv, columns: {email: text}}"
    raw = f"name: raw\nactivities:\n  - {load}\n  - {{id: save, type: save_audience, from: file, audience: Raw}}\n"
    workflows.run(read_workflow(raw))
    assert flow.project.audiences.show("Raw").type is AudienceType.FILE
    people = "name: people\nactivities:\n  - {{id: all, type: query}}\n"
    save = "  - {{id: save, type: save_audience, from: all, audience: Raw{more}}}\n"
    with pytest.raises(WorkflowInvalid, match="can't be completed"):
        workflows.run(read_workflow((people + save).format(more=", content: complete")))
    assert (flow.project.audiences.show("Raw").type, members(flow, "Raw")) == (AudienceType.FILE, 5)
    workflows.run(read_workflow((people + save).format(more="")))
    assert (flow.project.audiences.show("Raw").type, members(flow, "Raw")) == (AudienceType.LIST, 7)
    unique = read_workflow((people + save).format(more=", mode: create_unique"))
    workflows.run(unique)
    names = [one.name for one in flow.project.audiences.list()]
    assert len(names) == 2


def test_all_faults_of_a_workflow_are_told_at_once(flow) -> None:
    text = INTAKE.replace("column: email", "column: emial").replace("upper(city)", "uper(city)")
    text = text.replace("file: out/", "file: ../out/").replace(
        "{name: many, if: count > 1}", "{name: many, if: cuont > 1}"
    )
    with pytest.raises(WorkflowInvalid) as refused:
        flow.project.workflows.check(read_workflow(text))
    places = [one["path"] for one in refused.value.details["faults"]]
    assert {
        "$.activities[3].keys[0].column",
        "$.activities[4].set.city",
        "$.activities[5].branches[0].if",
        "$.activities[8].file",
    } <= set(places)
