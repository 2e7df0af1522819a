"""One message after the other to a real server: refusals, put-offs, cuts, dots, and headers that cannot be broken."""

from __future__ import annotations

import email.policy
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smtpserver import CUT_EARLY, CUT_LATE, PASSWORD, USER, Mail, certificate, guarded, mail, serve, wrapped
from symbolon.messages import SenderDenied, SenderUnreachable
from symbolon.messages.message import Composer, Message, Texts
from symbolon.messages.senders import Sender
from symbolon.messages.smtp import MOST_DEFERRED, SmtpOutlet
from symbolon.records import Channel
from symbolon.transports import Retrying

__all__ = ["certificate", "guarded", "mail", "wrapped"]
NOW = datetime(2026, 7, 1, 8, 30, tzinfo=UTC)
COMPOSER = Composer(Channel.EMAIL, "news@example.com", "Harbour & Hale", "answers@example.com")


def outlet(server, **values) -> SmtpOutlet:
    values = {"security": "none", "timeout_s": 5, **values}
    sender = Sender(name="mail", kind="smtp", host="localhost", port=server.port, **values)
    return SmtpOutlet(sender, PASSWORD, None, retrying=Retrying(attempts=3, first_s=0.01, most_s=0.02))


def message(address: str = "a@example.com", text: str = "Hello", subject: str = "Hi", html: str = "") -> Message:
    return COMPOSER.compose("0" * 32, address, Texts(text, subject, html), NOW)


def sent(out: SmtpOutlet, *messages: Message) -> list[str]:
    try:
        outcomes = []
        for one in messages:
            out.ready(one)
            outcomes.append(out.send(one))
        return outcomes
    finally:
        out.close()


def test_a_message_arrives_as_it_was_written(mail) -> None:
    text = ".\r\n..\nfrom\n.\n" + "long " * 500 + "é\x00\x1b end\rof"
    assert sent(outlet(mail), message(text=text, html="<p>é</p>", subject="Grüße " * 20)) == ["sent"]
    (found,) = mail.mail.parsed()
    assert found["Message-ID"] == f"<{'0' * 32}@example.com>"
    assert (found["To"], found["Reply-To"]) == ("a@example.com", "answers@example.com")
    assert found["From"] == "Harbour & Hale <news@example.com>"
    assert found["Subject"] == ("Grüße " * 20).strip()
    plain, html = found.iter_parts()
    assert plain.get_content().replace("\r\n", "\n") == ".\n..\nfrom\n.\n" + "long " * 500 + "é end\nof\n"
    assert html.get_content().strip() == "<p>é</p>"


@pytest.mark.parametrize(
    ("answers", "outcome", "copies"),
    [
        (["550 no such person"], "refused", 0),
        (["data 554 spam"], "refused", 0),
        (["450 later"], "sent", 1),
        (["450 later", "450 later"], "sent", 1),
        (["data 451 later"], "sent", 1),
        (["450 later"] * 3, "deferred", 0),
        ([CUT_EARLY], "sent", 1),
        (["421 closing"], "sent", 1),
        ([CUT_EARLY, "450 later"], "sent", 1),
        ([CUT_LATE], "uncertain", 1),
    ],
)
def test_what_a_server_answers(mail, answers: list[str], outcome: str, copies: int) -> None:
    mail.mail.answers["x@example.com"] = answers
    outcomes = sent(outlet(mail), message("x@example.com"), message("y@example.com"))
    assert outcomes == [outcome, "sent"]
    assert mail.mail.addresses == ["x@example.com"] * copies + ["y@example.com"]


def test_a_server_that_is_away_or_refuses_everybody(mail) -> None:
    mail.mail.answers["x@example.com"] = [CUT_EARLY] * 3
    with pytest.raises(SenderUnreachable):
        sent(outlet(mail), message("x@example.com"))
    mail.mail.origin = ["553 not you"]
    with pytest.raises(SenderDenied, match="553"):
        sent(outlet(mail), message())
    mail.mail.origin = ["552 too large"]
    assert sent(outlet(mail), message()) == ["refused"]
    mail.mail.origin = ["451 not now"] * 100
    with pytest.raises(SenderUnreachable, match="every message") as told:
        sent(outlet(mail), *[message(f"n{number}@example.com") for number in range(MOST_DEFERRED + 1)])
    assert "@" not in str(told.value)
    assert mail.mail.arrived == []
    mail.stop()
    with pytest.raises(SenderUnreachable) as told:
        sent(outlet(mail), message())
    assert told.value.retryable
    assert told.value.exit_code == 5


def test_protected_connections(guarded, wrapped, certificate) -> None:
    for server, security in ((guarded, "starttls"), (wrapped, "tls")):
        out = outlet(server, security=security, user=USER if server is guarded else "")
        with pytest.raises(SenderDenied, match="certificate"):
            sent(out, message())
        out._certificates = certificate[0]
        assert sent(out, message()) == ["sent"]
        wrong = outlet(server, security=security, user=USER if server is guarded else "")
        wrong._certificates = certificate[0]
        wrong._sender = Sender(
            **{**{k: getattr(out._sender, k) for k in Sender.__struct_fields__}, "host": "127.0.0.2"}
        )
        with pytest.raises((SenderDenied, SenderUnreachable)):
            sent(wrong, message())
    assert guarded.mail.logins
    bad = outlet(guarded, security="starttls", user=USER)
    bad._certificates, bad._password = certificate[0], "canary"
    with pytest.raises(SenderDenied, match="user or password") as told:
        sent(bad, message())
    assert "canary" not in repr(told.value)


def test_a_password_never_goes_where_there_is_no_tls(mail) -> None:
    with pytest.raises(SenderDenied, match="STARTTLS"):
        sent(outlet(mail, security="starttls", user=USER), message())
    assert mail.mail.logins == []


HEADERS = {"From", "To", "Reply-To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type",
           "Content-Transfer-Encoding"}  # fmt: skip


@pytest.fixture(scope="module")
def one_server():
    server = serve(Mail())
    yield server
    server.stop()


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.text(st.sampled_from('\r\n\v\f\x1c\x85\u2028\0:<>.@ =?Bc é\\"'), max_size=40).map(
        lambda t: f"x{t}\r\nBcc: y@z.example"
    ),
    st.text(st.sampled_from("\r\n. \0a\x85\u2028é"), max_size=40),
)
def test_nothing_that_a_person_is_called_breaks_a_header(one_server, subject: str, text: str) -> None:
    one_server.mail.arrived.clear()
    assert sent(outlet(one_server), message(subject=subject, text=f"{text}.")) == ["sent"]
    ((address, content),) = one_server.mail.arrived
    assert address == "a@example.com"
    head, _, body = content.partition(b"\r\n\r\n")
    names = {line.split(b":")[0].decode() for line in head.split(b"\r\n") if not line.startswith((b" ", b"\t"))}
    assert names <= HEADERS
    assert b"\n" not in content.replace(b"\r\n", b"")
    assert b"\r" not in content.replace(b"\r\n", b"")
    found = email.message_from_bytes(content, policy=email.policy.default)
    assert "Bcc" not in found
    assert found["Subject"].startswith("x")
    assert body


def test_an_sms_is_json() -> None:
    made = Composer(Channel.SMS, "Harbour").compose("f" * 32, "+33612345678", Texts("a\0b"), NOW)
    assert made.content == b'{"id":"' + b"f" * 32 + b'","to":"+33612345678","from":"Harbour","text":"ab"}'
    assert repr(made) == f"Message({'f' * 32})"
