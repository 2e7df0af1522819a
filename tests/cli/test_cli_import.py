"""`audience import` and what can be looked at afterwards."""

from __future__ import annotations

import csv
import io
import json

import pyarrow.parquet as pq
import pytest
from cli_shop import ENCRYPTED_FILE, LATER_FILE, RECEIPT_KEYS, SEGMENT_FILE, sha256


def imported(cli, shop, *options, file: str = SEGMENT_FILE):
    return cli(
        "audience", "import", shop / "in" / file, "--source", "crm-email", "--segment", "24", "--name", "vip", *options
    )


def test_json_is_one_receipt_with_the_agreed_keys(cli, shop):
    done = imported(cli, shop, "--json")
    assert (done.code, done.err) == (0, "")
    receipt = json.loads(done.out)
    assert set(RECEIPT_KEYS) <= set(receipt)
    assert set(receipt) - set(RECEIPT_KEYS) == {"source", "segment", "files", "mode", "unchanged", "plan"}
    assert (receipt["lines"], receipt["other_segments"], receipt["received"], receipt["accepted"]) == (13, 3, 10, 7)
    assert receipt["rejected"] == {"duplicate_id": 1, "malformed_id": 1, "malformed_line": 1}
    assert (receipt["matched"], receipt["unmatched_reasons"], receipt["members"]) == (6, {"unknown_id": 1}, 6)
    assert (receipt["version"], receipt["added"], receipt["plan"]) == (1, 6, False)
    assert len(done.out.splitlines()) == 1


def test_a_person_reads_a_funnel_and_the_next_commands(cli, shop):
    done = imported(cli, shop)
    assert done.code == 0
    assert done.out.splitlines()[0] == "vip is now version 1: 6 members"
    for level, count in (("lines", 13), ("received", 10), ("accepted", 7), ("matched", 6), ("members", 6)):
        assert any(line.split()[:2] == [level, str(count)] for line in done.out.splitlines())
    assert "10.0 %  malformed_id" in done.out
    assert "wrong length or wrong letters" in done.out
    assert "6 joined, 0 left, compared with nothing before" in done.out
    assert "symbolon audience members vip" in done.err
    assert "symbolon audience rejects vip --unmatched" in done.err
    assert "\x1b" not in done.out + done.err


def test_a_plan_says_so_at_its_top_and_writes_nothing(cli, shop):
    done = imported(cli, shop, "--plan")
    assert done.out.splitlines()[0].startswith("PLAN: nothing was written")
    assert json.loads(cli("audience", "list", "--json").out) == []
    assert json.loads(imported(cli, shop, "--plan", "--json").out)["plan"] is True


def test_the_same_again_does_nothing(cli, shop):
    imported(cli, shop)
    again = imported(cli, shop)
    assert again.out.startswith("vip: nothing to do, version 1 stands")
    assert json.loads(imported(cli, shop, "--json").out)["unchanged"] is True


def test_all_segments_give_a_list(cli, shop):
    done = cli("audience", "import", shop / "in" / SEGMENT_FILE, "--source", "crm-email", "--all-segments", "--json")
    receipts = json.loads(done.out)
    assert [receipt["audience"] for receipt in receipts] == ["crm-email-24", "crm-email-26"]
    assert [receipt["members"] for receipt in receipts] == [6, 3]


def test_several_segments_without_a_choice_are_listed_and_nothing_is_imported(cli, shop):
    done = cli("audience", "import", shop / "in" / SEGMENT_FILE, "--source", "crm-email")
    assert done.code == 2
    assert "error[import.segment]" in done.err
    assert "26 (" in done.err
    assert json.loads(cli("audience", "list", "--json").out) == []


@pytest.mark.parametrize("choice", [["--all-segments"], ["--all-segments", "--json"], []])
def test_a_file_without_any_segment(cli, shop, choice):
    path = shop / "in" / "S3_1_2_full_1486140844000.sync"
    path.write_text("only-one-column\n")
    done = cli("audience", "import", path, "--source", "crm-email", *choice)
    assert (done.code, done.out, "import.segment" in done.err) == (2, "", True)


def test_a_list_by_column(cli, shop):
    done = cli("audience", "import", shop / "in" / "visits.csv", "--source", "numbers", "--column", "number", "--json")
    receipt = json.loads(done.out)
    assert (receipt["audience"], receipt["members"], receipt["unmatched"]) == ("visits", 2, 1)


def test_standard_input_is_a_list_and_leaves_nothing_behind(cli, shop):
    done = cli("audience", "import", "-", "--source", "numbers", "--name", "guests", "--json", stdin=b"C1\nC2\nC77\n")
    assert json.loads(done.out)["members"] == 2
    assert list((shop / "shop" / "lake" / "attempts").iterdir()) == []
    named = cli("audience", "import", "-", "--source", "numbers", stdin=b"C1\n")
    assert (named.code, "needs a name" in named.err) == (2, True)


def test_standard_input_with_a_segment_is_a_segment_file(cli, shop):
    data = (shop / "in" / SEGMENT_FILE).read_bytes()
    options = ["--source", "crm-email", "--segment", "26", "--name", "guests", "--json"]
    assert json.loads(cli("audience", "import", "-", *options, stdin=data).out)["members"] == 3


def test_max_rejected_publishes_nothing(cli, shop):
    done = imported(cli, shop, "--max-rejected", "2", "--json")
    assert (done.code, done.out) == (2, "")
    assert json.loads(done.err)["error"]["code"] == "import.rejected"
    assert json.loads(cli("audience", "list", "--json").out) == []
    assert imported(cli, shop, "--max-rejected", "3").code == 0
    assert imported(cli, shop, "--max-rejected", "many").code == 2


def test_members_are_sorted_csv_with_a_header(cli, shop):
    imported(cli, shop)
    done = cli("audience", "members", "vip", "--columns", "external_id,email", "--format", "csv")
    rows = list(csv.reader(io.StringIO(done.out)))
    assert rows[0] == ["external_id", "email"]
    assert [row[0] for row in rows[1:]] == sorted(["C1", "C2", "C3", "C4", "C10", "C11"])
    assert ["C4", 'quo"ted,name@example.com'] in rows
    by_mail = cli("audience", "members", "vip", "--columns", "email", "--limit", "2").out.splitlines()
    assert by_mail[0] == "email"
    assert len(by_mail) == 3


def test_members_in_every_format(cli, shop, tmp_path):
    imported(cli, shop)
    rows = json.loads(cli("audience", "members", "vip", "--json").out)
    assert [row["external_id"] for row in rows] == ["C1", "C10", "C11", "C2", "C3", "C4"]
    lines = cli("audience", "members", "vip", "--format", "ndjson").out.splitlines()
    assert [json.loads(line) for line in lines] == rows
    assert json.loads(cli("audience", "members", "vip", "--json", "--limit", "0").out) == []
    table = cli("audience", "members", "vip", "--format", "table").out.splitlines()
    assert table[0].split() == ["external_id", "email"]
    done = cli("audience", "members", "vip", "--output", tmp_path / "vip.parquet")
    assert (done.out, "6 rows written" in done.err) == ("", True)
    assert pq.read_table(tmp_path / "vip.parquet").to_pylist() == rows
    assert (tmp_path / "vip.parquet").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_an_output_that_cannot_be_written_is_told(cli, shop, tmp_path):
    imported(cli, shop)
    for place in (tmp_path / "missing" / "vip.csv", tmp_path):
        done = cli("audience", "members", "vip", "--output", place)
        assert (done.code, "error[command.output]" in done.err) == (2, True)


def test_rejects_name_line_and_reason(cli, shop):
    imported(cli, shop)
    done = cli("audience", "rejects", "vip", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(done.out)))
    assert [(row["line"], row["reason"]) for row in rows] == [
        ("7", "duplicate_id"), ("8", "malformed_id"), ("9", "malformed_line"),
    ]  # fmt: skip
    assert all(row["file"] == SEGMENT_FILE for row in rows)
    only = cli("audience", "rejects", "vip", "--reason", "malformed_id", "--json")
    assert [row["line"] for row in json.loads(only.out)] == [8]
    unmatched = json.loads(cli("audience", "rejects", "vip", "--unmatched", "--json").out)
    assert [(row["line"], row["id"]) for row in unmatched] == [(10, "0" * 64)]
    wrong = cli("audience", "rejects", "vip", "--reason", "malformed")
    assert (wrong.code, "did you mean `malformed_" in wrong.err) == (2, True)


def test_versions_diff_and_rollback(cli, shop):
    imported(cli, shop)
    second = json.loads(imported(cli, shop, "--json", file=LATER_FILE).out)
    assert (second["version"], second["added"], second["removed"]) == (2, 2, 2)
    changes = json.loads(cli("audience", "diff", "vip", "--json").out)
    assert [(row["change"], row["external_id"]) for row in changes] == [
        ("added", "C12"), ("added", "C13"), ("removed", "C1"), ("removed", "C2"),
    ]  # fmt: skip
    asked = cli("audience", "rollback", "vip")
    assert asked.code == 2
    assert "error[command.confirm]" in asked.err
    assert "version 1 of" in asked.err
    back = json.loads(cli("audience", "rollback", "vip", "--yes", "--json").out)
    assert (back["version"], back["members"]) == (3, 6)
    found = json.loads(cli("audience", "versions", "vip", "--json").out)
    assert [(one["version"], one["origin"]) for one in found] == [(3, "rollback"), (2, "import"), (1, "import")]
    old = json.loads(cli("audience", "members", "vip", "--version", "2", "--json").out)
    assert [row["external_id"] for row in old][:2] == ["C10", "C11"]
    shown = cli("audience", "versions", "vip").out.splitlines()
    assert shown[1].split()[:3] == ["3", "current", "rollback"]


def test_one_version_has_none_to_go_back_to(cli, shop):
    imported(cli, shop)
    done = cli("audience", "rollback", "vip", "--yes")
    assert (done.code, "none to go back to" in done.err) == (2, True)


def test_show_gives_the_receipt_of_a_version(cli, shop):
    imported(cli, shop)
    imported(cli, shop, file=LATER_FILE)
    shown = json.loads(cli("audience", "show", "vip", "--json").out)
    assert (shown["source"], shown["version"], shown["receipt"]["version"]) == ("crm-email", 2, 2)
    assert json.loads(cli("audience", "show", "vip", "--version", "1", "--json").out)["receipt"]["version"] == 1
    assert "vip is now version 2" in cli("audience", "show", "vip").out
    listed = json.loads(cli("audience", "list", "--json").out)
    assert [(one["name"], one["members"], one["source"]) for one in listed] == [("vip", 6, "crm-email")]
    assert cli("audience", "list").out.splitlines()[1].split()[:3] == ["vip", "shared", "crm-email"]


def test_refresh_finds_who_is_new(cli, shop):
    imported(cli, shop)
    new = shop / "new.csv"
    new.write_text("external_id,email\nC60,late@example.com\n")
    late = shop / "in" / LATER_FILE
    late.write_text(f"{sha256('late@example.com')} 24\n")
    assert json.loads(imported(cli, shop, "--json", file=LATER_FILE).out)["members"] == 0
    cli("profiles", "import", new)
    planned = cli("audience", "refresh", "vip", "--plan")
    assert planned.out.startswith("PLAN")
    done = json.loads(cli("audience", "refresh", "vip", "--json").out)
    assert (done["version"], done["members"], done["added"]) == (3, 1, 1)


def test_a_file_audience_becomes_a_list(cli, shop):
    options = ["--source", "lounge", "--segment", "310", "--name", "guests", "--no-force-reconciliation", "--json"]
    kept = json.loads(cli("audience", "import", shop / "in" / ENCRYPTED_FILE, *options).out)
    assert kept["members"] == 4
    made = json.loads(cli("audience", "reconcile", "guests", "--key", "email", "--name", "known", "--json").out)
    assert (made["matched"], made["members"]) == (3, 3)
    created = cli("audience", "reconcile", "guests", "--key", "email", "--name", "known", "--create-profiles", "--json")
    assert json.loads(created.out)["members"] == 4


def test_delete_asks_first(cli, shop):
    imported(cli, shop)
    asked = cli("audience", "delete", "vip")
    assert (asked.code, "6 members, 1 version; profiles stay" in asked.err) == (2, True)
    assert len(json.loads(cli("audience", "list", "--json").out)) == 1
    assert cli("audience", "delete", "vip", "--yes").code == 0
    assert json.loads(cli("audience", "list", "--json").out) == []


def test_force_reconciliation_means_nothing_for_hashes(cli, shop):
    done = imported(cli, shop, "--force-reconciliation")
    assert (done.code, "error[import.option]" in done.err) == (2, True)


@pytest.mark.parametrize("quiet", [["--quiet", "audience"], ["audience"]])
def test_quiet_leaves_the_talk_out(cli, shop, quiet):
    after = [] if len(quiet) > 1 else ["-q"]
    done = cli(*quiet, "import", shop / "in" / "visits.csv", "--source", "numbers", "--column", "number", *after)
    assert (done.code, done.err) == (0, "")
    assert "visits is now version 1" in done.out
