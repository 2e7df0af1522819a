"""Lines of inbound files, read; compared with a reader that goes sign by sign."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from symbolon.files import FileKindError, inspect_file
from symbolon.files.blocks import Block
from symbolon.files.inboundrows import Item, items_of, parse_inbound_rows
from symbolon.files.textlines import lines_of

ADDS, REMOVES, SIGNALS = "adds", "removes", "signals"


@pytest.mark.parametrize(
    ("text", "items", "odd"),
    [
        ("d_sid=24,d_sid=26,d_unsid=28", [(ADDS, "24"), (ADDS, "26"), (REMOVES, "28")], 0),
        ("28:0,29:-1", [(REMOVES, "28"), (REMOVES, "29")], 0),
        ("30608,50354", [(SIGNALS, "ic"), (SIGNALS, "ic")], 0),
        ("ic=52", [(SIGNALS, "ic")], 0),
        ("product = tablet, product = phone", [(SIGNALS, "product"), (SIGNALS, "product")], 0),
        ('"gender"="female","a"=b,c="d"', [(SIGNALS, "gender"), (SIGNALS, "a"), (SIGNALS, "c")], 0),
        ('d_city="New York, NY", d_sid = 7', [(SIGNALS, "d_city"), (ADDS, "7")], 0),
        ("--product=camera", [(SIGNALS, "product")], 0),
        ("seen=2013-01-26 00:00:00.000", [(SIGNALS, "seen")], 0),
        ("empty=", [(SIGNALS, "empty")], 0),
        ("d_sid=24,,d_sid=26", [(ADDS, "24"), (ADDS, "26")], 1),
        ("d_sid=x", [], 1),
        ("d_sid=", [], 1),
        ("28:1", [], 1),
        ("word", [], 1),
        ("", [], 1),
        ('d_sid=1,broken="no end,d_sid=2', [(ADDS, "1"), (ADDS, "2")], 1),
        ("d_sid=1,", [(ADDS, "1")], 1),
    ],
)
def test_items(text, items, odd):
    assert items_of(text) == ([Item(*one) for one in items], odd)


@given(st.text(alphabet='d_sid=unc",:-0129 \t', max_size=60))
def test_any_text_has_an_end(text):
    items, odd = items_of(text)
    assert len(items) + odd >= 1
    assert all(one.name.isdigit() for one in items if one.does != SIGNALS)


def by_hand(data: bytes, *, odc: bool) -> tuple[list[tuple[bytes, bytes]], int, list[int]]:
    """Give readable lines, how many are not blank, and the numbers of those that are malformed."""
    rows, nonblank, bad = [], 0, []
    for number, raw in enumerate(data.split(b"\n"), 1):
        line = raw.removesuffix(b"\r")
        if not line.strip(b" \t\r"):
            continue
        nonblank += 1
        parts = line.split(b"\t", 2 if odc else 1)
        parts = parts[1:] if odc and parts[0] and len(parts) > 1 else parts if not odc else []
        if len(parts) < 2 or not parts[0] or not parts[1] or b":" in parts[0] or b"%3a" in parts[0].lower():
            bad.append(number)
        else:
            rows.append((parts[0], parts[1]))
    return rows, nonblank, bad


LINES = st.lists(st.text(alphabet="ab:\t =,19%3Aü\r", max_size=12).map(str.encode), max_size=12)


@given(lines=LINES, ended=st.booleans(), odc=st.booleans())
def test_lines_are_those_of_a_plain_reader(lines, ended, odc):
    data = b"\n".join(lines) + b"\n" * ended
    batch = parse_inbound_rows(lines_of(Block(data, 0), b"", 1, max_line=1000), odc=odc)
    rows, nonblank, bad = by_hand(data, odc=odc)
    found = list(zip(batch.ids.to_pylist(), batch.items.to_pylist(), strict=True))
    assert found == rows
    assert (batch.nonblank, [one.line for one in batch.rejected]) == (nonblank, bad)
    assert {one.reason for one in batch.rejected} <= {"malformed_line"}


def test_a_file_is_told_apart_without_a_value(tmp_path: Path):
    path = tmp_path / "ftp_dpm_33_21_1767225600.sync.2"
    visitor, mail = "59767559181262060060278870901087098252", "canary@example.com"
    lines = [f"{visitor[:-3]}{n:03}\td_sid=24,d_unsid=26\r" for n in range(200)]
    lines += ["", f"{visitor}\td_sid=24,,ic=5,mail={mail}", "no tab", f"{visitor}:1\td_sid=9", ""]
    path.write_text("\n".join(lines))
    found = inspect_file(path)
    assert (found.kind, found.lines, found.complete, found.id_kind) == ("inbound", 203, True, "visitor")
    assert found.name == {
        "type": None, "dpid": 33, "owner": 21, "mode": "sync", "timestamp": "2026-01-01T00:00:00+00:00", "split": 2
    }  # fmt: skip
    assert [(one.segment, one.added, one.removed) for one in found.segments] == [("24", 201, 0), ("26", 0, 200)]
    assert found.signals == {"ic": 1, "mail": 1}
    assert found.rejected == {"malformed_line": 2}
    assert [one.line for one in found.rejected_lines] == [203, 204]
    assert found.first_rows[0] == ["5976…8000", "d_sid=24,d_unsid=26"]
    assert found.notes == ["lines end with CR LF", "items that are empty or cannot be read: 1; they are skipped"]
    told = msgspec.json.encode(found).decode()
    assert mail not in told
    assert visitor[:12] not in told


def test_what_the_mode_ignores_is_said(tmp_path: Path):
    path = tmp_path / "ftp_dpm_33_123456789.overwrite"
    path.write_text("a\td_unsid=26\n")
    assert inspect_file(path).notes == [
        "the timestamp has 9 digits, not 10",
        "the name says `overwrite`: removed traits are ignored in such files",
    ]


def test_devices_stand_behind_their_type(tmp_path: Path):
    path = tmp_path / "ftp_dpm_odc_12345_1556223815.sync"
    path.write_text("idfa\tB56E68EC-34ED-46D5-AF0C-1D2401F676C9\t38838\n\n\n")
    found = inspect_file(path)
    assert (found.id_kind, found.signals, found.lines) == ("uuid", {"ic": 1}, 1)


@pytest.mark.parametrize("ending", ["pgp", "gpg"])
def test_an_encrypted_file_is_named_as_one(tmp_path: Path, ending):
    path = tmp_path / f"ftp_dpm_33_1767225600.sync.{ending}"
    path.write_bytes(b"\x85\x01\x0c\x03" * 20)
    with pytest.raises(FileKindError, match="encrypted"):
        inspect_file(path)


def test_counts_do_not_depend_on_the_blocks(tmp_path: Path):
    path = tmp_path / "ftp_dpm_33_1767225600.sync"
    path.write_text("".join(f"id{n}\td_sid={n % 7},k{n % 3}=v\n" for n in range(5000)))
    whole, pieces = inspect_file(path), inspect_file(path, max_bytes=1000)
    assert {one.segment: one.added for one in whole.segments} == Counter(str(n % 7) for n in range(5000))
    assert whole.signals == {"k0": 1667, "k1": 1667, "k2": 1666}
    assert not pieces.complete


@pytest.mark.parametrize("filling", [" ", "-", "a ", '"', ",", "=", "- "])
@pytest.mark.parametrize("ends", ["", "b", '"x', "=1"])
def test_a_long_item_takes_no_longer_than_it_is_long(filling, ends):
    items, odd = items_of("d_sid=1," + filling * 50_000 + ends)
    assert items[0] == Item(ADDS, "1")
    assert len(items) + odd >= 2


@pytest.mark.parametrize(
    "line",
    [
        "id2\tq83vEjRWeJCrze8SNFZ4kA==",
        "id1\t30608\r59767559181262060060278870901087098252\tic=5",
        "id1\tmail canary.somebody@example.com=1",
        "id1\tuser:4917012345678=1",
        "id1\td_sid=4917012345678",
        "id1\t4917012345678:0",
        "id1\t" + "canary" * 1000 + "=1",
        "id1\tcanary.somebody@example.com=x",
    ],
)
def test_columns_in_the_wrong_order_show_nothing(tmp_path: Path, line):
    path = tmp_path / "ftp_dpm_33_1767225600.sync"
    path.write_bytes(f"{line}\n".encode())
    told = msgspec.json.encode(inspect_file(path)).decode()
    for secret in ("q83vEjRW", "5976755918", "somebody", "01234567", "canarycanary"):
        assert secret not in told


def test_keys_that_look_alike_when_hidden_are_counted_together(tmp_path: Path):
    path = tmp_path / "ftp_dpm_33_1767225600.sync"
    path.write_text("".join(f"id{n}\tu{n}@x.de=1\n" for n in range(9)) + "a\tk=1\n")
    found = inspect_file(path)
    assert (sum(found.signals.values()), found.signals["k"], found.signal_count) == (10, 1, len(found.signals))


@pytest.mark.parametrize(("stamp", "told"), [("99999999999", None), ("1767225600123", "2026-01-01T00:00:00+00:00")])
def test_a_timestamp_that_is_none_tells_no_moment(tmp_path: Path, stamp, told):
    path = tmp_path / f"ftp_dpm_33_{stamp}.sync"
    path.write_text("a\td_sid=1\n")
    assert inspect_file(path).name["timestamp"] == told


def test_a_byte_order_mark_is_no_character(tmp_path: Path):
    path = tmp_path / "ftp_dpm_33_1767225600.sync"
    path.write_bytes(b"\xef\xbb\xbfa\td_sid=1\n")
    assert inspect_file(path).notes == ["the file begins with a byte order mark, which is dropped"]
