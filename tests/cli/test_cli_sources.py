"""Sources, profiles, files and single IDs."""

from __future__ import annotations

import csv
import io
import json

import msgspec
import pytest
from cli_shop import CANARY, ENCRYPTED_FILE, IV, KEY, SEGMENT_FILE, lines, sha256

import symbolon
from symbolon import records
from symbolon.cli import source as commands
from symbolon.cli import words


def test_the_choices_are_those_of_the_records():
    for option, enum in (
        (commands.KindOption, records.Kind),
        (commands.ProtectionOption, records.Protection),
        (commands.ChannelOption, records.Channel),
        (commands.EncodingOption, records.Encoding),
        (commands.AmbiguousOption, records.OnAmbiguous),
    ):
        literal = option.__origin__.__args__[0]
        assert set(literal.__args__) == {member.value for member in enum}


def test_every_reason_has_words():
    assert set(words.REJECTED) == set(filter(None, records.REJECT_REASONS))
    assert set(words.UNMATCHED) == set(records.UNMATCHED_REASONS)


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [
        (0, 5, "0.0 %"),
        (1, 3, "33.3 %"),
        (1, 10_000, "< 0.1 %"),
        (9_999, 10_000, "> 99.9 %"),
        (5, 5, "100.0 %"),
        (1, 0, ""),
    ],
)
def test_percent(part, whole, text):
    assert words.percent(part, whole) == text


def test_add_show_edit_list(cli, shop, tmp_path):
    (tmp_path / "air.key").write_text(f"\\x{KEY}\n")
    added = cli(
        "source", "add", "air", "--kind", "declared", "--key", "mobile_phone", "--protection", "aes-cbc", "--channel",
        "sms", "--dpid", "20312", "--priority", "5", "--key-hex-file", tmp_path / "air.key", "--iv", "prefixed",
        "--encoding", "base64", "--normalise", "adobe", "--on-ambiguous", "reject", "--region", "FR", "--timestamp",
        "seconds", "--terms", "be nice",
    )  # fmt: skip
    assert added.code == 0, added.err
    assert "symbolon source accept air" in added.err
    shown = cli("source", "show", "air", "--json")
    source = json.loads(shown.out)
    fields = set(msgspec.structs.asdict(records.DataSource(name="x")))
    assert set(source) == {*fields, "imports", "warning"}
    assert (source["protection"], source["channel"], source["iv_prefixed"], source["key_version"]) == (
        "aes-cbc", "sms", True, 1,
    )  # fmt: skip
    assert (source["dpid"], source["priority"], source["region"], source["timestamp"]) == (20312, 5, "FR", "seconds")
    assert KEY not in shown.out + cli("source", "show", "air").out
    cli("source", "edit", "air", "--priority", "7", "--key-hex-file", "-", "--iv", "prefixed", stdin=KEY.encode())
    assert json.loads(cli("source", "show", "air", "--json").out)["key_version"] == 2
    listed = json.loads(cli("source", "list", "--json").out)
    assert [one["name"] for one in listed] == ["air", "crm-email", "web", "numbers", "lounge"]
    with symbolon.open(shop / "shop") as project:
        assert [one["name"] for one in listed] == [one.name for one in project.sources.list()]
    assert "wait to be accepted" in cli("source", "list").out
    nothing = cli("source", "edit", "air")
    assert (nothing.code, "nothing to change" in nothing.err) == (2, True)


def test_all_faults_of_a_definition_at_once(cli, shop):
    done = cli("source", "add", "bad name", "--kind", "visitor", "--key", "email", "--protection", "md5")
    assert done.code == 2
    for fault in ("a name is", "has no reconciliation key", "visitor IDs are plain"):
        assert fault in done.err


def test_a_trial_says_whether_source_and_sample_fit(cli, shop):
    fits = cli("source", "test", "crm-email", shop / "in" / SEGMENT_FILE)
    assert fits.code == 0
    assert fits.out.startswith("they fit: ")
    assert "nothing was written" in fits.out
    assert "the other segments" in fits.out
    cli("source", "add", "wrong", "--key", "email", "--protection", "md5")
    judged = json.loads(cli("source", "test", "wrong", shop / "in" / SEGMENT_FILE, "--json").out)
    assert (judged["fits"], "another kind or protection" in judged["verdict"]) == (False, True)
    assert json.loads(cli("source", "test", "numbers", shop / "in" / "visits.csv", "--column", "number", "--json").out)[
        "fits"
    ]
    strangers = lines(shop / "in", "S3_1_2_full_1486140844000.sync", *[f"{sha256(str(n))} 7" for n in range(200)])
    assert "hardly anybody is known" in cli("source", "test", "crm-email", strangers).out
    assert json.loads(cli("audience", "list", "--json").out) == []


def test_profiles_come_and_go(cli, shop):
    done = json.loads(cli("profiles", "import", shop / "in" / "people.csv", "--json").out)
    assert (done["accepted"], done["rejected"], done["created"]) == (1, {"missing_key": 1}, 1)
    planned = cli("profiles", "import", shop / "in" / "people.csv", "--plan")
    assert planned.out.startswith("PLAN: nothing was written")
    assert json.loads(cli("profiles", "show", "C50", "--json").out)["email"] == "new@example.com"
    assert "new@example.com" in cli("profiles", "show", "new@example.com", "--field", "email").out
    missing = cli("profiles", "show", "nobody")
    assert (missing.code, "error[profile.missing]" in missing.err, "nobody" in missing.err) == (2, True, False)
    piped = cli("profiles", "import", "-", "--json", stdin=b"external_id,email\nC51,pipe@example.com\n")
    assert json.loads(piped.out)["created"] == 1
    rows = list(csv.DictReader(io.StringIO(cli("profiles", "list", "--columns", "external_id,email").out)))
    assert [row["external_id"] for row in rows][-2:] == ["C50", "C51"]
    cli("profiles", "export", shop / "all.ndjson")
    everybody = [json.loads(line) for line in (shop / "all.ndjson").read_text().splitlines()]
    assert len(everybody) == 26
    assert cli("profiles", "export", "-", "--columns", "email").out.startswith("email\n")


def test_links_count(cli, shop):
    links = lines(shop, "more.csv", "visitor_id,external_id", f"{'1' * 38},C1", "123,C2")
    done = json.loads(cli("profiles", "link", links, "--json").out)
    assert done["accepted"] == 1


def test_inspect_needs_no_project(cli, shop, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    seen = cli("file", "inspect", shop / "in" / SEGMENT_FILE)
    assert seen.code == 0
    assert "a segment file" in seen.out
    assert "sha256" in seen.out
    assert "malformed_line" in seen.out
    assert sha256("johndoe@example.com") not in seen.out
    assert "--all-segments --plan" in seen.err
    found = json.loads(cli("file", "inspect", shop / "in" / "visits.csv", "--json").out)
    assert [column["name"] for column in found["columns"]] == ["number", "shop"]


def test_explain_masks_values(cli, shop):
    for value in ("johndoe@example.com", sha256("johndoe@example.com")):
        done = json.loads(cli("id", "explain", value, "--source", "crm-email", "--json").out)
        assert done["source"] == "crm-email"
        assert len(done["profiles"]) == 1
        assert value not in json.dumps(done)
    by_pipe = cli("id", "explain", "-", "--source", "crm-email", stdin=f"{sha256(CANARY)}\n".encode())
    assert by_pipe.code == 0
    assert "no member: unknown_id" in by_pipe.out
    assert CANARY not in by_pipe.out


def test_no_key_and_no_address_in_any_talk(cli, shop):
    """Whatever a command says about encrypted IDs, the address inside and the key stay inside."""
    file = shop / "in" / ENCRYPTED_FILE
    said = ""
    for arguments in (
        ("audience", "import", file, "--source", "lounge", "--segment", "310", "--name", "guests"),
        ("audience", "show", "guests"),
        ("audience", "rejects", "guests", "--unmatched", "--json"),
        ("source", "list"),
        ("source", "test", "lounge", file),
        ("file", "inspect", file),
        ("doctor",),
    ):
        done = cli(*arguments)
        assert done.code == 0, done.err
        said += done.out + done.err
    for secret in (CANARY, KEY, KEY.lower(), IV):
        assert secret not in said
