"""`symbolon scheme` and `symbolon id normalise`: outside of a project, and without a value in any message."""

from __future__ import annotations

import hashlib
import json
import os
import stat

import pytest

RAW = "Jane.Q.Doe+x@gmail.com"
FORM = "janeqdoe@gmail.com"


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.fixture(autouse=True)
def nowhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    assert {path.name for path in tmp_path.iterdir()} <= {"partner.csv"}


def test_a_value_is_normalised_step_by_step(cli):
    shown = cli("id", "normalise", RAW, "--scheme", "google")
    assert shown.code == 0
    assert shown.out.startswith(f"{FORM}\n  by google@2, email, since ")
    assert f"sha256 hex     {sha(FORM)}\n" in shown.out
    assert "sha256 base64  " in shown.out
    steps = json.loads(cli("id", "normalise", RAW, "--scheme", "google@1", "--json").out)["steps"]
    assert [step["changed"] for step in steps] == [False, True, False, False, True]
    assert steps[-1]["value"] == "janeqdoe+x@gmail.com"


def test_a_value_may_come_by_standard_input(cli):
    found = json.loads(cli("id", "normalise", "-", "--scheme", "uid2", "--json", stdin=b" A@b.c \r\n").out)
    assert (found["scheme"], found["field"], found["normal"]) == ("uid2@1", "email", "a@b.c")
    assert found["digests"][0]["encoding"] == "base64"


@pytest.mark.parametrize(
    ("value", "options", "words"),
    [
        ("06 12 34 56 78", ["--scheme", "adobe"], "no normalised form: not a possible number"),
        ("06 12 34 56 78", ["--scheme", "adobe", "--region", "fr"], "+33612345678\n"),
        ("", ["--scheme", "adobe"], "no normalised form: it is empty"),
        ("  ", ["--scheme", "meta", "--field", "email"], "no normalised form: there is nothing but blanks"),
        (sha(FORM), ["--scheme", "google"], "a digest already"),
        ("a" * 32, ["--scheme", "google"], "no normalised form: it is a md5 digest already, and google takes sha256"),
        (sha(""), ["--scheme", "google"], "no normalised form: it is the sha256 digest of nothing"),
        ("us", ["--scheme", "google", "--field", "country"], "google takes this field plain"),
        ("\x1b[31mx@y.z", ["--scheme", "adobe"], "\\x1b[31mx@y.z\n"),
    ],
)
def test_what_a_value_comes_to(cli, value, options, words):
    shown = cli("id", "normalise", value, *options)
    assert shown.code == 0
    assert words in shown.out
    assert shown.err == ""


def test_unknown_names_are_told_without_the_value(cli):
    for options in (["--scheme", "googel"], ["--scheme", "google@9"], ["--scheme", "google", "--field", "emial"]):
        shown = cli("id", "normalise", RAW, *options)
        assert shown.code == 2
        assert "error[name.unknown]" in shown.err
        assert RAW not in shown.err + shown.out


@pytest.mark.parametrize("command", [["normalise", "--scheme", "meta"], ["explain", "--source", "x"]])
def test_a_value_that_is_no_text_is_refused(cli, command):
    for value, stdin in (("a\udcff@b.c", b""), ("-", b"a\xff@b.c\n")):
        shown = cli("id", *command, value, stdin=stdin)
        assert shown.code == 2
        assert "error[command.usage]: the value is not UTF-8" in shown.err


def test_schemes_are_listed_and_shown(cli):
    listed = json.loads(cli("scheme", "list", "--json").out)
    assert {one["scheme"] for one in listed} >= {"adobe", "uid2", "google", "meta", "linkedin", "tiktok", "snap"}
    assert cli("scheme", "list").out.splitlines()[0].split() == ["scheme", "field", "version", "since", "digest"]
    every = json.loads(cli("scheme", "show", "google", "--json").out)
    assert [one["version"] for one in every if one["field"] == "email"] == ["1", "2"]
    first = json.loads(cli("scheme", "show", "google@1", "--json").out)
    assert [one["version"] for one in first if one["field"] == "email"] == ["1"]
    assert "drop dots and `+…`" in cli("scheme", "show", "google").out
    assert cli("scheme", "show", "googel").code == 2


def test_a_partner_who_follows_a_scheme(cli, nowhere):
    (nowhere / "partner.csv").write_text(f"email,sha256\n{RAW},{sha(FORM)}\n,\n")
    shown = cli("scheme", "test", "partner.csv", "--scheme", "all")
    assert shown.code == 0
    assert "  google@2    1 of 1 agree\n  uid2@1      1 of 1 agree\n" in shown.out
    assert cli("scheme", "test", "partner.csv", "--scheme", "google").code == 0
    found = json.loads(cli("scheme", "test", "partner.csv", "--scheme", "all", "--json").out)
    assert (found["agrees"], found["best"], found["field"], found["rows"]) == (True, ["google@2", "uid2@1"], "email", 1)


def test_a_partner_who_does_not(cli, nowhere):
    rows = [f"{RAW},{sha(FORM)}", f"{RAW},{sha(RAW)}", f"a@b.c,{sha('')}"]
    (nowhere / "partner.csv").write_text("\n".join(["email,sha256", *rows, ""]))
    shown = cli("scheme", "test", "partner.csv", "--scheme", "google")
    assert shown.code == 2
    assert "1 of 3 agree" in shown.out
    assert f"partner.csv:3:{len(RAW) + 2}: the value was digested as it is written, not normalised" in shown.out
    assert "partner.csv:4:7: it is the digest of nothing" in shown.out
    assert (
        f"error[scheme.vectors]: 2 of 3 digests are not what google@2 makes\n  --> partner.csv:3:{len(RAW) + 2}\n"
        in (shown.err)
    )
    every = cli("scheme", "test", "partner.csv", "--scheme", "all")
    for everything in (shown.out, shown.err, every.out, every.err):
        for secret in (RAW, FORM, sha(FORM), sha(RAW), "a@b.c"):
            assert secret not in everything
    as_json = cli("scheme", "test", "partner.csv", "--scheme", "all", "--json")
    assert as_json.code == 2
    assert json.loads(as_json.err)["error"]["where"] == f"partner.csv:3:{len(RAW) + 2}"
    assert not json.loads(as_json.out)["agrees"]


def test_a_partner_by_standard_input(cli):
    shown = cli("scheme", "test", "-", "--scheme", "snap", stdin=f"+16577770000\t{sha('16577770000')}\n".encode())
    assert (shown.code, shown.err) == (0, "")
    assert "standard input: 1 vector, phone" in shown.out


def test_files_that_are_none(cli, nowhere):
    assert "error[command.file]" in cli("scheme", "test", "nothing.csv", "--scheme", "all").err
    (nowhere / "partner.csv").write_text("name,digest\nJosé,x\n")
    shown = cli("scheme", "test", "partner.csv", "--scheme", "all")
    assert shown.code == 2
    assert "error[scheme.file]" in shown.err
    assert "--field" in shown.err
    assert "José" not in shown.err
    (nowhere / "partner.csv").write_text("name\nJosé\n")
    assert "partner.csv:2" in cli("scheme", "test", "partner.csv", "--scheme", "all").err
    if os.geteuid():
        (nowhere / "partner.csv").chmod(stat.S_IWUSR)
        assert "error[command.file]" in cli("scheme", "test", "partner.csv", "--scheme", "all").err
