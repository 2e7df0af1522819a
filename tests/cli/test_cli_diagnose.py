"""`audience diagnose` as a person types it."""

from __future__ import annotations

import hashlib
import json

import pytest
from cli_shop import CANARY, PEOPLE, SEGMENT_FILE, encrypt, lines, sha256

from symbolon import records

KNOWN = [email.strip().lower() for _, email in PEOPLE]
FILE = "S3_1_2_full_1486140844000.sync"


def digest(algorithm, value):
    return hashlib.new(algorithm, value.encode()).hexdigest()


def imported(cli, shop, source, *ids, name="vip", options=()):
    path = lines(shop / "in", FILE, *[f"{one} 24" for one in ids])
    done = cli("audience", "import", path, "--source", source, "--segment", "24", "--name", name, *options)
    assert done.code == 0, done.err


def test_the_fault_is_told_in_words_with_the_command_that_mends_it(cli, shop):
    md5 = [digest("md5", one) for one in KNOWN]
    imported(cli, shop, "crm-email", *md5, digest("md5", CANARY))
    done = cli("audience", "diagnose", "vip")
    assert done.code == 0
    assert "24 of 25 IDs (96.0 %) would match: they are md5 digests, not sha256" in done.out
    assert "symbolon source add crm-email-md5 --kind declared --key email --protection md5" in done.out
    assert f"symbolon audience import {FILE} --source crm-email-md5 --segment 24 --name vip-crm-email-md5" in done.out
    assert "1 of 25 IDs (4.0 %) stay unexplained" in done.out
    assert "not among your profiles" in done.out
    for value in (*md5, *KNOWN, CANARY):
        assert value not in done.out + done.err


def test_json_has_the_counts_and_no_value(cli, shop):
    ids = [encrypt(one) for one in KNOWN]
    imported(cli, shop, "crm-email", *ids)
    done = cli("audience", "diagnose", "vip", "--json")
    found = json.loads(done.out)
    assert (done.code, done.err) == (0, "")
    assert (found["audience"], found["version"], found["source"], found["sampled"]) == ("vip", 1, "crm-email", 24)
    (finding,) = found["findings"]
    assert (finding["faults"], finding["count"], finding["share"]) == (["encrypted"], 24, 1.0)
    assert finding["commands"] == [f"symbolon audience import {FILE} --source lounge --segment 24 --name vip-lounge"]
    assert not any(one in done.out for one in (*ids, *KNOWN))


def test_the_commands_are_for_the_same_project(cli, shop):
    imported(cli, shop, "crm-email", *[digest("sha1", one) for one in KNOWN])
    done = cli("audience", "diagnose", "vip", "--project", shop / "shop")
    commands = [line for line in done.out.splitlines() if "symbolon " in line and "--source" in line]
    assert commands
    assert all(f"--project {shop / 'shop'}" in line for line in commands)


def test_a_profile_that_came_later_needs_a_refresh(cli, shop):
    new = [f"late{n}@example.com" for n in range(5)]
    imported(cli, shop, "crm-email", *[sha256(one) for one in new])
    people = lines(shop / "in", "late.csv", "external_id,email", *[f"L{n},{one}" for n, one in enumerate(new)])
    assert cli("profiles", "import", people).code == 0
    done = cli("audience", "diagnose", "vip")
    assert "5 of 5 IDs (100.0 %) would match: their profiles came after the import" in done.out
    assert "to change it: symbolon audience refresh vip" in done.out
    assert cli("audience", "refresh", "vip").code == 0
    assert "there is nothing to diagnose" in cli("audience", "diagnose", "vip").out


def test_ambiguous_ids_are_explained(cli, shop):
    people = lines(shop / "in", "twins.csv", "external_id,email", "T1,twin@example.com", "T2,twin@example.com")
    cli("profiles", "import", people)
    cli("source", "edit", "crm-email", "--on-ambiguous", "reject")
    imported(cli, shop, "crm-email", sha256("twin@example.com"))
    done = cli("audience", "diagnose", "vip")
    assert "1 ID would match: several profiles have each of these IDs, and the data source rejects that" in done.out
    assert "symbolon source edit crm-email --on-ambiguous all" in done.out
    cli("source", "edit", "crm-email", "--on-ambiguous", "all")
    cli("audience", "refresh", "vip")
    assert json.loads(cli("audience", "show", "vip", "--json").out)["members"] == 2


def test_withheld_ids_are_told(cli, shop):
    people = lines(shop / "in", "shy.csv", "external_id,email,do_not_share", "S1,shy@example.com,true")
    cli("profiles", "import", people)
    imported(cli, shop, "crm-email", sha256("shy@example.com"))
    done = cli("audience", "diagnose", "vip")
    assert "1 more match, and policy withholds them" in done.out


def test_digests_of_nothing_match_nobody(cli, shop):
    imported(cli, shop, "crm-email", *[sha256(one) for one in (*KNOWN, "null", "NULL", "undefined")], sha256(""))
    done = cli("audience", "diagnose", "vip")
    assert "4 of 4 IDs (100.0 %) can match nobody: they are digests of nothing" in done.out


@pytest.mark.parametrize("case", ["healthy", "file", "list", "lines"])
def test_a_diagnosis_of_nothing_says_so(cli, shop, case):
    if case == "healthy":
        imported(cli, shop, "crm-email", *[sha256(one) for one in KNOWN])
    elif case == "lines":
        lines(shop / "in", FILE, *[f"{sha256(one)} 24" for one in KNOWN], "not-a-row", "x y z 1 2")
        cli("audience", "import", shop / "in" / FILE, "--source", "crm-email", "--segment", "24", "--name", "vip")
    else:
        imported(
            cli, shop, "lounge", *[encrypt(one) for one in (CANARY, *KNOWN[:3])], options=["--no-force-reconciliation"]
        )
    if case == "list":
        assert cli("audience", "reconcile", "vip", "--key", "email", "--name", "people").code == 0
    done = cli("audience", "diagnose", "people" if case == "list" else "vip")
    assert done.code == 0
    assert "there is nothing to diagnose" in done.out
    assert {"file": "audience reconcile", "list": "a list of profiles", "lines": "file inspect"}.get(
        case, ""
    ) in done.out
    found = json.loads(cli("audience", "diagnose", "people" if case == "list" else "vip", "--json").out)
    assert (found["findings"], found["sampled"]) == ([], 0)


def test_nobody_knows_the_audience(cli, shop):
    done = cli("audience", "diagnose", "vpi")
    assert (done.code, "error[name.unknown]" in done.err) == (2, True)
    assert cli("audience", "diagnose", "vip", "--version", "9").code == 2


def test_an_older_version_and_a_smaller_sample(cli, shop):
    imported(cli, shop, "crm-email", *[sha256(one + " ") for one in KNOWN])
    cli("audience", "import", shop / "in" / SEGMENT_FILE, "--source", "crm-email", "--segment", "24", "--name", "vip")
    done = json.loads(cli("audience", "diagnose", "vip", "--version", "1", "--sample", "10", "--json").out)
    assert (done["version"], done["sampled"], done["unknown"]) == (1, 10, len(KNOWN))
    assert done["findings"][0]["faults"] == ["untrimmed"]
    assert cli("audience", "diagnose", "vip", "--sample", "0").code == 2


def test_without_time_it_says_what_was_not_tried(cli, shop):
    imported(cli, shop, "crm-email", *[sha256(one.upper()) for one in KNOWN])
    done = cli("audience", "diagnose", "vip", "--seconds", "0")
    assert done.code == 0
    assert "not tried:" in done.out
    assert json.loads(cli("audience", "diagnose", "vip", "--seconds", "0", "--json").out)["not_tried"]


def test_every_reason_that_a_diagnosis_meets_is_known():
    from symbolon.sharing.diagnosing import _ID_REASONS

    assert set(_ID_REASONS) < set(records.REJECT_REASONS)


def test_a_source_shows_its_match_rate_over_time_and_a_fall(cli, shop):
    strangers = [sha256(f"stranger{n}") for n in range(100)]
    for moment, form in enumerate((str, str, str.upper)):
        ids = [sha256(form(one)) for one in KNOWN]
        path = lines(
            shop / "in", f"S3_1_2_full_148614084400{moment}.sync", *[f"{one} 24" for one in (*ids, *strangers)]
        )
        done = cli("audience", "import", path, "--source", "crm-email", "--segment", "24", "--name", "vip", "--force")
        assert "symbolon audience diagnose vip" in done.err
    assert "warning: the match rate fell to 0.0 %; the 2 before had 19.4 %" in done.out
    shown = cli("source", "show", "crm-email").out
    rows = [line.split() for line in shown.splitlines() if line.startswith("vip")]
    assert [(row[1], row[4], row[5], row[6], row[7]) for row in rows] == [
        ("3", "124", "124", "0", "0.0"),
        ("2", "124", "124", "24", "19.4"),
        ("1", "124", "124", "24", "19.4"),
    ]
    assert "124 unknown_id" in shown
    assert shown.splitlines()[-1].startswith("warning: the match rate fell")
    found = json.loads(cli("source", "show", "crm-email", "--json").out)
    assert [one["matched"] for one in found["imports"]] == [0, 24, 24]
    assert found["warning"].startswith("the match rate fell")
    assert json.loads(cli("source", "show", "web", "--json").out)["imports"] == []


def test_a_good_import_does_not_point_to_a_diagnosis(cli, shop):
    path = lines(shop / "in", FILE, *[f"{sha256(one)} 24" for one in KNOWN])
    done = cli("audience", "import", path, "--source", "crm-email", "--segment", "24", "--name", "vip")
    assert "diagnose" not in done.err
