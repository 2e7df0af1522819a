"""Profile files of every format, good and bad: what is taken, what is rejected, and what the receipt says."""

from __future__ import annotations

import gzip
import io
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from symbolon.errors import InputError, UnknownNameError
from symbolon.profiles import FieldError, KeyColumnMissing, ProfilesRejected
from symbolon.store import open_store

ROWS = "external_id{0}email{0}birth_date{0}opt_out_email\n7{0}a@x.com{0}1980-02-29{0}yes\n8{0}b@x.com{0}{0}\n"
NDJSON = (
    '{"external_id": "7", "email": "a@x.com", "birth_date": "1980-02-29", "opt_out_email": true}\n'
    '{"external_id": "8", "email": "b@x.com", "birth_date": null, "opt_out_email": null}\n'
)


def parquet(**columns: pa.Array) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out)
    return out.getvalue()


def rows_of(project, *columns: str):
    return project.profiles.some(1000, list(columns)).to_pylist()


def rejects_of(project):
    return [row for batch in project.profiles.rejects() for row in batch.to_pylist()]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("p.csv", ROWS.format(",").encode()),
        ("p.csv", ROWS.format(";").encode()),
        ("p.csv", b"\xef\xbb\xbf" + ROWS.format(",").replace("\n", "\r\n").encode().rstrip()),
        ("p.tsv", ROWS.format("\t").encode()),
        ("p.csv.gz", gzip.compress(ROWS.format(",").encode())),
        ("p.ndjson", NDJSON.encode()),
        ("p.ndjson.gz", gzip.compress(NDJSON.encode())),
        (
            "p.parquet",
            parquet(
                external_id=pa.array([7, 8]),
                email=pa.array(["a@x.com", "b@x.com"], pa.string_view()).cast(pa.large_string()),
                birth_date=pa.array([date(1980, 2, 29), None]),
                opt_out_email=pa.array([True, None]),
            ),
        ),
    ],
    ids=["csv", "semicolons", "bom-crlf", "tsv", "csv.gz", "ndjson", "ndjson.gz", "parquet"],
)
def test_every_format_says_the_same(project, put, name, content):
    receipt = put(content, name)
    assert (receipt.file, receipt.lines, receipt.accepted, receipt.created, receipt.rejected) == (name, 2, 2, 2, {})
    assert rows_of(project, "external_id", "email", "birth_date", "opt_out_email") == [
        {"external_id": "7", "email": "a@x.com", "birth_date": date(1980, 2, 29), "opt_out_email": True},
        {"external_id": "8", "email": "b@x.com", "birth_date": None, "opt_out_email": None},
    ]


def test_headers_of_campaign_tools_are_understood(project, put):
    put(
        "externalId,mobilePhone,First Name,birthDate,blackListEmail,black-list-mobile,BLACKLIST,ccpaOptOut,"
        "Loyalty Tier\n"
        "1,+33612345678,Ann,1990-01-01,true,0,no,1,gold\n"
    )
    assert rows_of(project, "mobile_phone", "first_name", "birth_date", "loyalty_tier") == [
        {"mobile_phone": "+33612345678", "first_name": "Ann", "birth_date": date(1990, 1, 1), "loyalty_tier": "gold"}
    ]
    flags = ("opt_out_email", "opt_out_sms", "opt_out_all", "do_not_share")
    assert rows_of(project, *flags) == [dict(zip(flags, (True, False, False, True), strict=True))]
    assert project.engine.count(project.profiles.opted_out_of_sharing()) == 1


def test_bad_rows_are_rejected_with_line_reason_and_what_shows_them(project, put):
    long = "x" * 103_000
    receipt = put(
        b"external_id,birth_date,city\n"
        b"1,1980-02-29,Paris\n"
        b",1980-01-01,Nobody\n"
        b"2,yesterday,Oslo\n"
        b"3,1980-01-01\n"
        b"\n"
        b"4,1980-01-01," + long.encode() + b"\n"
        b"5,,\xff\n"
        b"1,,Rome\n"
        b'6,,"two\nlines"\n'
        b"7,1981-01-01,Bern\n"
    )
    assert receipt.rejected == {
        "bad_encoding": 1,
        "duplicate_key": 1,
        "invalid_value": 1,
        "line_too_long": 1,
        "malformed_line": 1,
        "missing_key": 1,
    }
    assert (receipt.lines, receipt.accepted, receipt.created, receipt.profiles) == (9, 3, 3, 3)
    found = [(row["line"], row["reason"], row["raw"][:8]) for row in rejects_of(project)]
    assert found == [
        (3, "missing_key", b""),
        (4, "invalid_value", b"2"),
        (5, "malformed_line", b"3,1980-0"),
        (7, "line_too_long", b"4,1980-0"),
        (8, "bad_encoding", b"5,,\xff"),
        (9, "duplicate_key", b"1"),
    ]
    assert [row["city"] for row in rows_of(project, "city")] == ["Paris", "two\nlines", "Bern"]
    put("external_id\n1\n")
    assert rejects_of(project) == []


def test_a_key_that_several_profiles_have_is_no_key(project, put):
    put("external_id,email\n1,same@x.com\n2, same@x.com\n3,other@x.com\n")
    receipt = put("email,city\nsame@x.com,Paris\nother@x.com,Oslo\n", key="email")
    assert (receipt.rejected, receipt.updated, receipt.created) == ({"ambiguous_key": 1}, 1, 0)
    assert [row["city"] for row in rows_of(project, "city")] == [None, None, "Oslo"]
    assert [(row["line"], row["raw"]) for row in rejects_of(project)] == [(2, b"same@x.com")]


def test_extra_columns_keep_the_type_they_came_with(project, put):
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    put(
        parquet(
            external_id=pa.array(["1"]),
            visits=pa.array([3], pa.int32()),
            spend=pa.array([1.5], pa.float32()),
            vip=pa.array([True]),
            since=pa.array([moment], pa.timestamp("ms", "UTC")),
            tier=pa.array(["gold"]).dictionary_encode(),
        ),
        "p.parquet",
    )
    kinds = {
        name: str(project.profiles.schema().field(name).type) for name in ("visits", "spend", "vip", "since", "tier")
    }
    assert kinds == {
        "visits": "int64",
        "spend": "double",
        "vip": "bool",
        "since": "timestamp[us, tz=UTC]",
        "tier": "string",
    }
    receipt = put("external_id,visits,spend,vip,since\n1,many,2,no,2026-01-02\n2,4,2.25,no,2026-01-02\n3,,,,\n")
    assert receipt.rejected == {"invalid_value": 1}
    assert rows_of(project, "external_id", "visits", "spend", "vip", "since") == [
        {"external_id": "1", "visits": 3, "spend": 1.5, "vip": True, "since": moment},
        {"external_id": "2", "visits": 4, "spend": 2.25, "vip": False, "since": datetime(2026, 1, 2, tzinfo=UTC)},
        {"external_id": "3", "visits": None, "spend": None, "vip": None, "since": None},
    ]


def test_an_extra_column_may_have_any_name_and_be_the_key(project, put):
    put("external_id,line,new_email,wanted,key,raw\n1,10,x,y,z,w\n2,20,x,y,z,w\n")
    receipt = put("line,new_email,email\n10,changed,a@x.com\n", key="line")
    assert (receipt.updated, receipt.created) == (1, 0)
    shown = project.profiles.show("10", "line")
    assert shown is not None
    assert (shown["external_id"], shown["new_email"], shown["email"]) == ("1", "changed", "a@x.com")


def test_a_column_that_joins_late_is_not_lost(project, put):
    filler = "".join(f'{{"external_id": "{n}", "city": "{"x" * 900}"}}\n' for n in range(10_000))
    receipt = put(filler + '{"external_id": "late", "email": "late@x.com", "score": 5}\n', "p.ndjson")
    assert receipt.created == 10_001
    shown = project.profiles.show("late")
    assert shown is not None
    assert (shown["email"], shown["score"]) == ("late@x.com", 5)


@pytest.mark.parametrize(("key", "near"), [("exernal_id", "external_id"), ("emial", "email"), ("citty", "city")])
def test_an_unknown_key_names_what_is_near(put, key, near):
    with pytest.raises(UnknownNameError) as caught:
        put("external_id,city\n1,Paris\n", key=key)
    assert near in str(caught.value.hint)


def test_a_file_without_the_key_is_refused(project, put):
    with pytest.raises(KeyColumnMissing):
        put("email\na@x.com\n")
    with pytest.raises(UnknownNameError):
        put("external_id,created\n1,2020-01-01\n", key="created")
    assert project.profiles.revision == 0


@pytest.mark.parametrize("header", ["external_id,externalId", "external_id,1st", f"external_id,{'x' * 64}"])
def test_headers_that_can_be_no_column_are_refused(project, put, header):
    with pytest.raises(FieldError):
        put(header + "\n1,2\n")
    assert project.profiles.revision == 0


@pytest.mark.parametrize(
    "content",
    [b"", b"\n\n", gzip.compress(b"external_id\n1\n" * 1000, mtime=0)[:40]],
    ids=["empty", "blank", "cut gzip"],
)
def test_files_that_cannot_be_read_change_nothing(project, put, content):
    with pytest.raises(InputError):
        put(content, "p.csv.gz" if content[:2] == b"\x1f\x8b" else "p.csv")
    assert (project.profiles.revision, project.profiles.count) == (0, 0)


def test_our_own_columns_are_left_out_and_said(project, put):
    receipt = put("external_id,created,modified\n1,1999-01-01,1999-01-01\n")
    assert receipt.rejected == {}
    assert "`created`, `modified`" in receipt.warnings[0]
    assert rows_of(project, "created")[0]["created"].year > 2000


def test_too_many_rejects_change_nothing(project, put):
    put("external_id,city\n1,Paris\n")
    with pytest.raises(ProfilesRejected) as caught:
        put("external_id,city\n1,Oslo\n,x\n,y\n", max_rejected=1)
    assert "2 of 3 rows" in str(caught.value)
    assert (project.profiles.revision, rows_of(project, "city")) == (1, [{"city": "Paris"}])
    assert put("external_id,city\n1,Oslo\n,x\n", max_rejected=1).updated == 1


def test_a_plan_writes_nothing(project, put):
    put("external_id,city\n1,Paris\n")
    lake = Path(project.settings.lake_dir)

    def everything():
        files = {path: path.stat().st_mtime_ns for path in lake.rglob("*") if path.is_file() and "tables" in path.parts}
        store = open_store(project.settings)
        numbers = store.next_ids("profiles", 0), store.state("profiles")
        store.close()
        return files, numbers

    before = everything()
    receipt = put("external_id,city,shoe\n1,Oslo,42\n2,Rome,43\n", plan=True)
    assert (receipt.created, receipt.updated, receipt.profiles, receipt.revision) == (1, 1, 2, 1)
    assert everything() == before
    assert "shoe" not in project.profiles.schema().names


def test_profiles_made_from_values_have_only_these(project, put):
    put("external_id,email\n1,a@x.com\n")
    assert project.profiles.create("email", pa.array(["b@x.com", "c@x.com"])) == 2
    assert rows_of(project, "external_id", "email") == [
        {"external_id": "1", "email": "a@x.com"},
        {"external_id": None, "email": "b@x.com"},
        {"external_id": None, "email": "c@x.com"},
    ]


def test_showing_looks_by_any_field_and_finds_nobody(project, put):
    put("external_id,email\n1, a@x.com\n")
    shown = project.profiles.show("a@x.com", "email")
    assert shown is not None
    assert shown["external_id"] == "1"
    assert project.profiles.show("2") is None
    with pytest.raises(UnknownNameError):
        project.profiles.show("1", "emial")
    with pytest.raises(UnknownNameError):
        project.profiles.index("emial", "adobe", "", "sha256")
