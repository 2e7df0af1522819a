"""Deliveries: who gets what, against a plain loop; gone on with, balanced, never to somebody who must not get it."""

from __future__ import annotations

import csv
import email
import email.policy

import ibis
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mail_shop import MAILED, PEOPLE, UNMAILED
from sending import MAIL, files, people, prepare, request, send, texts

import symbolon
from smtpserver import CUT_EARLY, CUT_LATE, mail
from symbolon.errors import SymbolonError
from symbolon.messages import SenderUnreachable, TemplateInvalid
from symbolon.transports import Retrying

__all__ = ["mail"]


def opted_out(project, tmp_path, key: str, flag: str = "opt_out_email") -> None:
    (tmp_path / "out.csv").write_text(f"external_id,{flag}\n{key},true\n")
    project.profiles.import_file(tmp_path / "out.csv")


def test_who_gets_an_email_and_who_does_not(project) -> None:
    found = send(project, request())
    assert found["to"] == sorted(MAILED)
    assert found["reasons"] == UNMAILED
    receipt = found["receipt"]
    assert (receipt.population, receipt.ready, receipt.sent, receipt.uncertain) == (10, 0, 4, 0)
    assert receipt.withheld == {
        "duplicate_address": 1, "invalid_address": 2, "no_address": 1, "opt_out_all": 1, "opt_out_email": 1,
    }  # fmt: skip
    written = [email.message_from_bytes(path.read_bytes(), policy=email.policy.default) for path in files(project)]
    by_address = {str(one["To"]): one for one in written}
    assert set(by_address) == set(MAILED.values())
    assert by_address["a@example.com"].get_content().strip() == "You are A."
    hostile = by_address["i@xn--bcher-kva.example"]
    assert hostile["Subject"] == "Hi Ina Bcc: x@example.com"
    assert hostile["Bcc"] is None
    assert {path.stat().st_mode & 0o777 for path in files(project)} == {0o600}
    assert not any(key in str(path) for path in files(project) for key in PEOPLE if len(key) > 1)


def test_who_gets_an_sms(project) -> None:
    found = send(project, request("sms"))
    assert found["reasons"] == {
        "B": "duplicate_address", "C": "no_address", "D": "opt_out_all", "F": "opt_out_sms", "G": "no_address",
        "H": "invalid_address", "I": "invalid_address",
    }  # fmt: skip
    assert found["to"] == ["A", "E", "J"]
    assert sorted(one["to"] for one in texts(project)) == ["+33612345671", "+33612345673", "+33612345676"]
    assert {path.stat().st_mode & 0o777 for path in files(project, ".json")} == {0o600}


def test_a_column_of_the_transition_goes_before_a_field_but_never_before_policy(project) -> None:
    rows = project.profiles.current().select("profile_id", "external_id")
    hostile = rows.mutate(
        opt_out_all=ibis.literal(value=False), opt_out_email=ibis.literal(value=False),
        email=ibis.literal("other@example.com"), first_name=ibis.literal("Column"), points=rows.profile_id + 1,
    )  # fmt: skip
    found = send(project, request(text="{{ points - 1 }} {{ email }} {{ limit }}", parameters={"limit": 7}), hostile)
    assert found["reasons"] == UNMAILED
    written = [email.message_from_bytes(path.read_bytes(), policy=email.policy.default) for path in files(project)]
    assert {str(one["To"]) for one in written} == set(MAILED.values())
    assert {str(one["Subject"]) for one in written} == {"Hi Column"}
    assert all(one.get_content().strip().endswith(" other@example.com 7") for one in written)


def test_what_cannot_be_written_is_left_out_with_a_reason(project) -> None:
    wanted = request(
        "sms", text="{% if external_id == 'A' %}{{ 'x' + 1 }}{% elif external_id == 'E' %}{% else %}x{% endif %}"
    )
    assert send(project, wanted)["reasons"]["A"] == "not_rendered"
    # who cannot get it leaves it to the other one of the same number
    assert {"B", "J"} <= set(send(project, wanted)["to"])
    assert send(project, wanted)["reasons"]["E"] == "not_rendered"
    big = request("sms", place="runs/r/step/big", text="{{ first_name or 'x' }}" + "y" * 1529)
    found = send(project, big)
    assert found["reasons"]["A"] == "too_large"
    assert found["receipt"].sent == 0
    with pytest.raises(TemplateInvalid):
        prepare(project, request(place="runs/r/step/none", text="{{ nothing_of_the_kind }}"))


def test_sending_again_sends_nothing_again_and_gives_the_same(project) -> None:
    first = send(project, request())
    written = {path: path.stat().st_mtime_ns for path in files(project)}
    again = send(project, request())
    assert (again["to"], again["reasons"]) == (first["to"], first["reasons"])
    assert {path: path.stat().st_mtime_ns for path in files(project)} == written
    # the addresses are gone, what became of everybody is not
    assert not project.lake.table("runs/r/step/acting/ready").exists
    log = project.lake.table("runs/r/step/acting/log")
    assert log.schema().names == ["profile_id", "outcome"]
    assert log.rows() == len(PEOPLE)


def test_who_opts_out_before_it_is_sent_gets_nothing(project, tmp_path) -> None:
    before = prepare(project, request())
    assert (before["receipt"].ready, before["receipt"].sent) == (4, 0)
    assert files(project) == []
    opted_out(project, tmp_path, "C")
    after = send(project, request())
    assert after["reasons"]["C"] == "opt_out_email"
    assert after["to"] == ["A", "F", "I"]
    assert after["receipt"].faults() == []


def test_what_was_decided_is_what_is_sent(project, tmp_path) -> None:
    before = project.engine.relation(project.engine.fetch(people(project)))
    prepare(project, request(), before)
    (tmp_path / "new.csv").write_text("external_id,email,first_name\nA,moved@example.com,New\nZ,z@example.com,Zoe\n")
    project.profiles.import_file(tmp_path / "new.csv")
    found = send(project, request(), before)
    assert "Z" not in found["to"]
    written = [email.message_from_bytes(path.read_bytes(), policy=email.policy.default) for path in files(project)]
    assert "a@example.com" in {str(one["To"]) for one in written}


def test_without_a_place_nothing_is_kept_or_sent(project) -> None:
    tables = project.lake.tables()
    found = prepare(project, request(place=""))
    assert (found["receipt"].ready, found["receipt"].sent) == (4, 0)
    assert found["to"] == sorted(MAILED)
    assert found["reasons"] == UNMAILED
    assert project.lake.tables() == tables
    assert files(project) == []


def smtp(project, server) -> None:
    project.senders.add(
        "mail", {"kind": "smtp", "host": "localhost", "port": server.port, "security": "none", "timeout_s": 5}
    )


def test_a_server_that_goes_away_is_gone_on_with(project, mail) -> None:
    smtp(project, mail)
    mail.mail.answers["c@example.com"] = [CUT_EARLY] * 4
    with pytest.raises(SenderUnreachable) as told:
        send(project, request(sender="mail"))
    assert told.value.details == {"sent": 1, "ready": 3}
    assert "@" not in str(told.value) + repr(told.value.details)
    found = send(project, request(sender="mail"))
    assert found["to"] == sorted(MAILED)
    assert mail.mail.addresses == [MAILED[key] for key in ("A", "C", "F", "I")]
    assert len({one["Message-ID"] for one in mail.mail.parsed()}) == 4


def test_what_a_server_says_is_told_and_balances(project, mail) -> None:
    smtp(project, mail)
    mail.mail.answers |= {
        "a@example.com": ["550 no"], "c@example.com": ["450 later"] * 9, "f@example.com": [CUT_LATE],
    }  # fmt: skip
    receipt = send(project, request(sender="mail"))["receipt"]
    assert (receipt.sent, receipt.refused, receipt.uncertain) == (1, {"refused": 1, "deferred": 1}, 1)
    found = send(project, request(sender="mail"))
    assert {key: found["reasons"][key] for key in "ACF"} == {"A": "refused", "C": "deferred", "F": "uncertain"}
    assert mail.mail.addresses == ["f@example.com", MAILED["I"]]


EMAILS = st.sampled_from(["a@x.example", " A@x.example ", "b@x.example", "B@X.example", "no", "", " ", "ü@x.example"])
PERSON = st.tuples(EMAILS, st.booleans(), st.booleans(), st.sampled_from(["ok", "", "boom"]))


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(PERSON, min_size=1, max_size=14), st.data())
def test_a_plain_loop_gives_the_same(tmp_path_factory, crowd, data) -> None:
    folder = tmp_path_factory.mktemp("crowd")
    with (folder / "people.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["external_id", "email", "opt_out_all", "opt_out_email", "first_name"])
        writer.writerows(
            [f"P{n:02}", mail, str(a).lower(), str(b).lower(), name] for n, (mail, a, b, name) in enumerate(crowd)
        )
    with symbolon.init(folder / "project") as project:
        project.profiles.import_file(folder / "people.csv")
        wanted = request(subject="x", text="{% if first_name == 'boom' %}{{ 'x' + 1 }}{% endif %}{{ external_id }}")
        reasons, taken, sent = {}, set(), []
        rows = project.engine.fetch(project.profiles.current().order_by("profile_id"), limit=None).to_pylist()
        for row in rows:
            address = (row["email"] or "").strip().lower()
            key = row["external_id"]
            if row["opt_out_all"]:
                reasons[key] = "opt_out_all"
            elif row["opt_out_email"]:
                reasons[key] = "opt_out_email"
            elif not address:
                reasons[key] = "no_address"
            elif address == "no" or not address.isascii():
                reasons[key] = "invalid_address"
            elif row["first_name"] == "boom":
                reasons[key] = "not_rendered"
            elif address in taken:
                reasons[key] = "duplicate_address"
            else:
                taken.add(address)
                sent.append(key)
        server = data.draw(
            st.dictionaries(st.sampled_from(sorted(taken) or ["x"]), st.sampled_from(["refused", "uncertain"]))
        )
        project.senders._retrying = Retrying(attempts=1)
        outlet = project.senders.open("", "r/step")
        send_really = type(outlet).send
        told = {}

        def answering(self, message):
            outcome = server.get(message.address) or send_really(self, message)
            told[message.address] = outcome
            return outcome

        type(outlet).send = answering
        try:
            found = send(project, wanted)
        finally:
            type(outlet).send = send_really
        by_key = {row["external_id"]: (row["email"] or "").strip().lower() for row in rows}
        assert found["to"] == [key for key in sent if by_key[key] not in server]
        assert found["reasons"] == reasons | {key: server[by_key[key]] for key in sent if by_key[key] in server}
        assert len(files(project)) == found["receipt"].sent
        assert found["receipt"].population == len(rows)
        assert set(told) == taken


def test_faults_of_a_request(project) -> None:
    def paths(**values) -> list[str]:
        found = project.deliveries.faults(request(**values), {"tier"})
        assert all(one.hint for one in found)
        return [one.path for one in found]

    project.senders.add("mail", {"kind": "smtp", "host": "smtp.example.com"})
    assert paths() == []
    assert paths(text="{{ tier }} {{ teir }}") == ["text"]
    assert paths(subject=" ", text="", html="{{ x }}") == ["subject", "text", "html"]
    assert paths(sender="mial") == ["sender"]
    assert paths(from_address="") == ["from_address"]
    assert paths(from_address="nobody", reply_to="no", from_name="a\nb") == ["from_address", "reply_to", "from_name"]
    assert paths(text="{{ profile_id }}") == ["text"]
    assert paths(channel="sms", sender="mail") == ["sender"]
    assert paths(channel="sms", from_address="x" * 17) == ["from_address"]
    (fault,) = project.deliveries.faults(request(text="a\n  {{ frst_name }}"), ())
    assert (fault.line, fault.column) == (2, 6)
    assert "first_name" in fault.hint


def test_no_address_in_any_error(project, mail) -> None:
    smtp(project, mail)
    mail.mail.origin = ["553 news@example.com is not yours"]
    with pytest.raises(SymbolonError) as told:
        send(project, request(sender="mail"))
    assert "@" not in str(told.value) + repr(told.value.as_dict())
    assert MAIL["from_address"] not in repr(told.value)
