"""Names of segment files: the documented ones, the traps, and any name at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symbolon.files import FileName, parse_name

DOCUMENTED = [
    # name, type, destination, dpid, alias, mode, milliseconds, split, root
    (
        "S3_1234_20914_XYZCustomer_iter_1486140844000.sync.gz",
        ("s3", 1234, 20914, "XYZCustomer", "iter", 1486140844000, 0),
    ),
    (
        "S3_1234_20914_XYZCustomer_iter_1486140844000001.sync.gz",
        ("s3", 1234, 20914, "XYZCustomer", "iter", 1486140844000, 1),
    ),
    ("ftp_1234_20915_full_1486140843000001.sync.gz", ("ftp", 1234, 20915, "", "full", 1486140843000, 1)),
    (
        "ftp_1234_45454_XYZCustomer_full_1486140843200001.sync.gz",
        ("ftp", 1234, 45454, "XYZCustomer", "full", 1486140843200, 1),
    ),
    ("ftp_655_269_iter_1337229891903.sync", ("ftp", 655, 269, "", "iter", 1337229891903, 0)),
    ("ftp_12345_67890_full_1500727351632-1.sync.gz", ("ftp", 12345, 67890, "", "full", 1500727351632, 1)),
    ("ftp_215_888_iter_1449756724.sync", ("ftp", 215, 888, "", "iter", 1449756724000, 0)),
    ("ftp_215_888_20915_iter_1449756724.sync", ("ftp", 215, 888, "20915", "iter", 1449756724000, 0)),
    ("s3_123456_9999_full_1566906141001.csv", ("s3", 123456, 9999, "", "full", 1566906141001, 0)),
    ("1486140844000.sync", ("", None, None, "", None, 1486140844000, 0)),
    ("HTTP_7_FULL_1486140844000.SYNC.GZ", ("http", 7, None, "", "full", 1486140844000, 0)),
    ("members.sync", ("", None, None, "members", None, None, 0)),
    ("my_full_list.sync.gz", ("", None, None, "my_full_list", "full", None, 0)),
]


def elements(name: FileName) -> tuple:
    return (
        name.sync_type, name.destination_id, name.dpid, name.alias, name.mode, name.timestamp_ms, name.split
    )  # fmt: skip


@pytest.mark.parametrize(("name", "expected"), DOCUMENTED, ids=[name for name, _ in DOCUMENTED])
def test_documented_names(name: str, expected: tuple):
    parsed = parse_name(name)
    assert parsed is not None
    assert elements(parsed) == expected
    assert parsed.raw == name
    assert parsed.gz == name.lower().endswith(".gz")


def test_thirteen_digits_are_what_the_source_says():
    name = "s3_123456_9999_full_1566906141001.csv"
    parsed = parse_name(name, timestamp="seconds")
    assert parsed is not None
    assert (parsed.timestamp_ms, parsed.split, parsed.root) == (1566906141000, 1, "s3_123456_9999_full_1566906141")
    first = parse_name("s3_123456_9999_full_1566906141.csv", timestamp="seconds")
    assert first is not None
    assert (first.split, first.root) == (0, parsed.root)


def test_the_parts_of_a_set_share_their_root():
    names = [f"S3_1_2_full_1486140844000{part}.sync.gz" for part in ("", "001", "002", "1000")]
    parsed = [parse_name(name) for name in names]
    assert [name.split for name in parsed if name] == [0, 1, 2, 1000]
    assert {name.root for name in parsed if name} == {"S3_1_2_full_1486140844000"}


@pytest.mark.parametrize(
    "name",
    [
        "list.csv",
        "emails.txt",
        "1486140844000.csv",
        "full_1486140844000.csv",
        "ftp_dpm_478_1366545717.sync",
        "ftp_dpm_478_567_1366545717.sync.gz",
        "ftp_dpm_478_1366545717.overwrite",
        "adobe_id_0_12345_1476312152.sync",
        "c2c_id_999999_987654_1560431657.sync",
        "S3_1_2_full_1486140844000.sync.zip",
        "S3_1_2_full_1486140844000.sync.gz.pgp",
        "S3_1_2_full_148614084400001.sync",
        "S3_1_2_full_1486140844000001-1.sync",
        "S3_1_2_full_1486140844000.info",
        "dir/S3_1_2_full_1486140844000.sync",
        "S3_1_2_full_1486140844000.sync\n",
        ".sync",
        "",
        "x" * 300 + ".sync",
    ],
)
def test_other_names_are_not_segment_files(name: str):
    assert parse_name(name) is None


@given(st.text(max_size=60), st.sampled_from(["", ".sync", ".sync.gz", "_full_1486140844000.sync", ".csv"]))
def test_any_text_is_parsed_or_not(text: str, ending: str):
    parsed = parse_name(text + ending)
    if parsed is not None:
        assert parsed.root
        assert (text + ending).startswith(parsed.root)


@given(
    st.sampled_from(["S3", "ftp", ""]),
    st.integers(1, 10**9),
    st.integers(0, 10**9),
    st.from_regex(r"[A-Za-z][A-Za-z0-9]{0,11}", fullmatch=True).filter(
        lambda text: text.lower() not in {"full", "iter"}
    ),
    st.sampled_from(["full", "iter"]),
    st.integers(10**12, 10**13 - 1),
    st.integers(0, 20000),
    st.sampled_from(["", ".gz"]),
)
def test_a_name_built_by_the_grammar_is_taken_apart(kind, destination, dpid, alias, mode, stamp, split, gz):
    head = f"{kind}_" if kind else ""
    number = f"{split:03}" if split else ""
    parsed = parse_name(f"{head}{destination}_{dpid}_{alias}_{mode}_{stamp}{number}.sync{gz}")
    assert parsed is not None
    assert elements(parsed) == (kind.lower(), destination, dpid, alias, mode, stamp, split)
