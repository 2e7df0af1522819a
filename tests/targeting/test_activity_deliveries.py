"""Email and SMS delivery in a workflow: confirmed, cancelled, killed, resumed, planned; and what is refused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest
from workflow_shop import PEOPLE, members

from smtpserver import mail
from symbolon.messages import SenderUnreachable
from symbolon.records import RunState, StepState
from symbolon.targeting.faults import RunNotPossible, WorkflowInvalid
from symbolon.transports import Retrying

__all__ = ["mail"]

MAILING = """\
name: mailing
activities:
  - {id: french, type: query, where: country = 'FR', columns: {code: external_id}}
  - {id: letter, type: email_delivery, from: french, from_address: news@example.com, subject: "Hi {{ code }}",
     text: "You are {{ external_id }}."}
  - {id: told, type: save_audience, from: letter, audience: Told}
  - {id: rest, type: save_audience, from: letter.complement, audience: Not told}
"""
AT_ONCE = MAILING.replace("text:", "confirm: false, text:")
FRENCH = {key for key, (_, country, _) in PEOPLE.items() if country == "FR"}
WILLING = {key for key in FRENCH if not PEOPLE[key][2]}


def letters(project) -> list[Path]:
    return sorted((project.settings.project / "outbox" / "messages").rglob("*.eml"))


def receipt(project, run_id: str, activity: str = "letter") -> dict[str, object]:
    steps = {step.step: step for step in project.workflows.steps(run_id)}
    return steps[activity].facts["told"]["receipt"]


def test_nothing_is_sent_before_somebody_confirms(shop) -> None:
    run = shop.workflows.run(shop.workflows.read(MAILING))
    assert (run.state, run.facts["at"], run.facts["awaits"]) == (RunState.PAUSED, "letter", "confirmation")
    waiting = receipt(shop, run.id)
    assert (waiting["ready"], waiting["sent"]) == (len(WILLING), 0)
    assert waiting["withheld"] == {"opt_out_email": len(FRENCH - WILLING)}
    # resuming is no confirmation, however often
    for _ in range(2):
        assert shop.workflows.resume(run.id).state is RunState.PAUSED
    assert letters(shop) == []
    assert {step.step: step.state for step in shop.workflows.steps(run.id)}["letter"] is StepState.WAITING
    assert shop.workflows.confirm(run.id).state is RunState.DONE
    assert len(letters(shop)) == len(WILLING)
    assert members(shop, "Told") == WILLING
    assert members(shop, "Not told") == FRENCH - WILLING
    done = receipt(shop, run.id)
    assert (done["population"], done["ready"], done["sent"]) == (len(FRENCH), 0, len(WILLING))
    with pytest.raises(RunNotPossible, match="awaits no confirmation"):
        shop.workflows.confirm(run.id)


def test_a_run_that_waits_can_be_cancelled_and_is_removed_with_what_it_kept(shop) -> None:
    from datetime import UTC, datetime, timedelta

    run = shop.workflows.run(shop.workflows.read(MAILING))
    shop.workflows.cancel(run.id)
    assert shop.workflows.show_run(run.id).state is RunState.STOPPED
    for act in (shop.workflows.confirm, shop.workflows.resume):
        with pytest.raises(RunNotPossible):
            act(run.id)
    assert letters(shop) == []
    assert any(name.endswith("/ready") for name in shop.lake.tables())
    assert shop.workflows.forget(datetime.now(UTC) + timedelta(days=60)) == 1
    assert [name for name in shop.lake.tables() if name.startswith("runs/")] == []


def test_doing_it_again_is_a_new_delivery_that_has_to_be_confirmed(shop) -> None:
    run = shop.workflows.run(shop.workflows.read(MAILING))
    shop.workflows.confirm(run.id)
    again = shop.workflows.restart(run.id, "letter")
    assert (again.state, again.facts["awaits"]) == (RunState.PAUSED, "confirmation")
    assert len(letters(shop)) == len(WILLING)
    assert shop.workflows.confirm(run.id).state is RunState.DONE
    assert len(letters(shop)) == 2 * len(WILLING)
    # what comes after it is done again without
    assert shop.workflows.restart(run.id, "told").state is RunState.DONE
    assert len(letters(shop)) == 2 * len(WILLING)


def test_a_plan_counts_and_sends_nothing(shop) -> None:
    tables = shop.lake.tables()
    for text in (MAILING, AT_ONCE):
        planned = shop.workflows.plan(shop.workflows.read(text))
        facts = {one.id: one.facts for one in planned.activities}["letter"]
        assert (facts["receipt"]["ready"], facts["receipt"]["sent"]) == (len(WILLING), 0)
        rows = {
            passed.transition: passed.rows
            for one in planned.activities
            if one.id == "letter"
            for passed in one.transitions
        }
        assert rows == {"result": len(WILLING), "complement": len(FRENCH - WILLING)}
    assert letters(shop) == []
    assert shop.lake.tables() == tables


@pytest.mark.parametrize(
    ("text", "state"),
    [
        (MAILING, RunState.PAUSED),
        pytest.param(AT_ONCE, RunState.DONE, marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize("place", ["inside", pytest.param("before", marks=pytest.mark.slow)])
def test_another_process_goes_on(shop, text: str, state: RunState, place: str) -> None:
    script = """
import os, signal, sys, symbolon
from symbolon.targeting.walking import Walk
visit = Walk.visit
def visiting(self, node, before):
    there = node.id == "letter" and self.mode == "run"
    found = None if there and sys.argv[3] == "before" else visit(self, node, before)
    if there:
        os.kill(os.getpid(), signal.SIGKILL)
    return found
Walk.visit = visiting
with symbolon.open(sys.argv[1]) as project:
    project.workflows.run(project.workflows.read(sys.argv[2]))
"""
    command = [sys.executable, "-c", script, str(shop.settings.project), text, place]
    assert subprocess.run(command, check=False, capture_output=True).returncode == -9
    (run,) = shop.workflows.runs()
    assert shop.workflows.is_interrupted(run)
    assert shop.workflows.resume(run.id).state is state
    if state is RunState.PAUSED:
        assert letters(shop) == []
        assert shop.workflows.confirm(run.id).state is RunState.DONE
    assert len(letters(shop)) == len(WILLING)
    assert members(shop, "Told") == WILLING


def test_a_server_that_is_away_pauses_the_run_which_goes_on_where_it_stood(shop, mail) -> None:
    shop.senders._retrying = Retrying(attempts=1)
    shop.senders.add(
        "mail", {"kind": "smtp", "host": "localhost", "port": mail.port, "security": "none", "timeout_s": 5}
    )
    text = AT_ONCE.replace("subject:", "sender: mail, subject:")
    addresses = sorted((PEOPLE[key][0] for key in WILLING), key=lambda one: int(one[1:].split("@")[0]))
    mail.mail.answers[addresses[4]] = ["421 away"]
    with pytest.raises(SenderUnreachable) as told:
        shop.workflows.run(shop.workflows.read(text))
    assert told.value.exit_code == 5
    run = shop.workflows.show_run(told.value.details["run"])
    assert run.state is RunState.PAUSED
    assert run.facts["error"]["details"]["ready"] + run.facts["error"]["details"]["sent"] == len(WILLING)
    assert shop.workflows.resume(run.id).state is RunState.DONE
    assert sorted(mail.mail.addresses) == sorted(addresses)
    assert members(shop, "Told") == WILLING


def test_rows_and_ids_are_refused(shop) -> None:
    (shop.settings.project / "inbox" / "rows.csv").write_text("email\na@example.com\n", encoding="utf-8")
    text = """\
name: rows
activities:
  - {id: rows, type: load_file, file: rows.csv}
  - {id: letter, type: email_delivery, from: rows, from_address: news@example.com, subject: x, text: y}
  - {id: short, type: sms_delivery, from: rows, text: "{{ y }}", sender: nobody}
"""
    with pytest.raises(WorkflowInvalid) as told:
        shop.workflows.check(shop.workflows.read(text))
    faults = {fault["path"]: fault for fault in told.value.details["faults"]}
    assert set(faults) == {
        "$.activities[1].from", "$.activities[2].from", "$.activities[2].sender", "$.activities[2].text",
    }  # fmt: skip
    assert "reconciliation" in faults["$.activities[1].from"]["hint"]
    assert faults["$.activities[2].text"]["place"].endswith("text:1:4")


def test_a_parameter_is_a_value_and_never_a_template(shop) -> None:
    text = """\
name: greeting
activities:
  - {id: begin, type: external_signal, parameters: {greeting: {type: text, required: true}}}
  - {id: one, type: query, from: begin, where: external_id = 'P001'}
  - {id: letter, type: email_delivery, from: one, confirm: false, from_address: n@example.com, subject: "x",
     text: "{{ greeting }}"}
"""
    shop.workflows.run(shop.workflows.read(text), {"greeting": "{{ email }}"})
    (letter,) = letters(shop)
    assert letter.read_text().rstrip().endswith("{{ email }}")


def test_an_sms_and_its_columns_go_on(shop) -> None:
    phones = pa.table({"external_id": ["P001", "P002"], "mobile_phone": ["+33612345678", "+33612345678"]})
    import pyarrow.csv

    pyarrow.csv.write_csv(phones, shop.settings.project / "phones.csv")
    shop.profiles.import_file(shop.settings.project / "phones.csv")
    text = """\
name: short
activities:
  - {id: all, type: query, where: "mobile_phone IS NOT NULL", columns: {code: lower(external_id)}}
  - {id: sms, type: sms_delivery, from: all, confirm: false, text: "{{ code }}"}
  - {id: told, type: save_audience, from: sms, audience: Texted}
"""
    run = shop.workflows.run(shop.workflows.read(text))
    found = receipt(shop, run.id, "sms")
    assert (found["sent"], found["withheld"]) == (1, {"duplicate_address": 1})
    assert shop.audiences.members("Texted", columns=["external_id", "code"]).to_arrow().to_pylist() == [
        {"external_id": "P001", "code": "p001"}
    ]
