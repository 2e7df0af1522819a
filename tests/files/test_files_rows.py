"""Rows of segment files against a reader that goes line by line."""

from __future__ import annotations

import io

import pytest
from files_oracle import read_columns, read_plainly
from hypothesis import example, given
from hypothesis import strategies as st

from symbolon.files import Block, parse_rows, render_rows
from symbolon.files.blocks import MAX_LINE_BYTES

CODES = st.sampled_from(["24", "26", "240", "seg_a", "A.b:c-d", "x" * 64])
IDS = st.one_of(
    st.sampled_from([b"59767559181262060060278870901087098252", b"0" * 38, b"a@b.c", b"MTIz/+==", b"x"]),
    st.binary(min_size=1, max_size=12),
)
BLANKS = st.sampled_from([b" ", b"\t", b"  ", b" \t "])
ENDS = st.sampled_from([b"\n", b"\n", b"\r\n", b" \n", b"\t\r\n", b"\r \r\n", b"\n\n", b"\n \n", b""])
LISTS = st.lists(CODES, min_size=1, max_size=4).map(lambda codes: ",".join(codes).encode())
ODD_LISTS = st.one_of(LISTS, st.sampled_from([b"24,", b",24", b"24,,26", b"x" * 65, b"2 4", b"24;26", b","]))


@st.composite
def lines(draw: st.DrawFn) -> bytes:
    parts = [draw(IDS), draw(BLANKS), draw(st.one_of(LISTS, LISTS, ODD_LISTS))]
    if draw(st.booleans()):
        parts += [draw(BLANKS), draw(ODD_LISTS)]
    if draw(st.integers(0, 9)) == 0:
        parts.insert(draw(st.integers(0, len(parts))), draw(st.sampled_from([b"\0", b" ", b"\xff", b"\r", b"\x0b"])))
    if draw(st.integers(0, 9)) == 0:
        parts.append(b"y" * draw(st.integers(200, 700)))
    return b"".join(parts) + draw(ENDS)


HOSTILE = st.binary(max_size=40).map(lambda text: text.replace(b"\x01", b"\n").replace(b"\x02", b" "))
FILES = st.lists(st.one_of(lines(), lines(), HOSTILE), max_size=12).map(b"".join)
BOMS = st.sampled_from([b"", b"", b"\xef\xbb\xbf"])


@given(BOMS, FILES, st.sampled_from(["full", "iter"]), st.sampled_from(["24", "seg_a", None]), st.integers(1, 400))
@example(b"", b"a 24 \r \r\nb 24\r\r\n", "full", "24", 3)
@example(b"\xef\xbb\xbf", b"", "full", "24", 1)
@example(b"", b"x" * 300 + b"\r\n" + b"y" * 257 + b"\r", "full", None, 1)
@example(b"", b"a 24 26 24\nb 24 26 24 25\n", "full", "24", 9)
@example(b"", b"a\0b 24\na\r 24\nb 24\rx\nc \r 24\n", "full", "24", 9)
@example(b"", b"x" * 256 + b"\r\na 24\n", "full", "24", 257)
def test_columns_say_what_a_plain_reader_says(bom: bytes, text: bytes, mode: str, segment: str | None, size: int):
    expected = read_plainly(bom + text, mode=mode, segment=segment, max_line=256)
    for cut in (size, 1 << 20):
        got = read_columns(io.BytesIO(bom + text), mode=mode, segment=segment, size=cut, max_line=256)
        assert got == expected
    assert expected.accounted() == expected.nonblank


@given(
    st.lists(st.tuples(IDS, st.lists(CODES, min_size=1, max_size=4), st.lists(CODES, max_size=3)), max_size=8),
    BLANKS,
    st.sampled_from([b"\n", b"\r\n"]),
)
def test_what_is_rendered_is_read_again(rows: list, separator: bytes, line_end: bytes):
    written, kept = b"", []
    for row in rows:
        try:
            written += render_rows([row], separator=separator, line_end=line_end)
        except ValueError:
            with pytest.raises(ValueError, match="cannot hold"):
                render_rows(rows)
        else:
            kept.append(row)
    got = read_columns(io.BytesIO(b"x 24\n" + written), mode="full", segment=None).rows[1:]
    expected = []
    for number, (value, added, _) in enumerate(kept, start=2):
        expected += [(number, value, code, False) for code in dict.fromkeys(added)]
    assert got == expected


def test_the_documented_example():
    line = render_rows([(b"59767559181262060060278870901087098252", ["24", "26", "27"], ["25", "28"])])
    assert line == b"59767559181262060060278870901087098252 24,26,27 25,28\n"
    two_spaces = b"59767559181262060060278870901087098252  24,26,27  25,28\n"
    for text in (line, two_spaces):
        batch = parse_rows(Block(text, 0), mode="iter", segment=None)
        said = list(zip(batch.segment.to_pylist(), batch.removed.tolist(), strict=True))
        assert said == [("24", False), ("26", False), ("27", False), ("25", True), ("28", True)]
        full = parse_rows(Block(text, 0), mode="full", segment="25")
        assert (len(full.ids), full.other_segments) == (0, 1)


def test_many_different_lists_are_read_as_few_are():
    rows = [(b"%038d" % n, [str(n), "24"] if n % 3 else [str(n)], [str(n + 1)]) for n in range(5000)]
    text = render_rows(rows)
    for segment in ("24", None):
        for mode in ("full", "iter"):
            expected = read_plainly(text, mode=mode, segment=segment)
            assert read_columns(io.BytesIO(text), mode=mode, segment=segment) == expected


def test_the_longest_line_is_read_and_a_longer_one_is_not():
    longest = b"x " + b"24," * 34132 + b"2"
    longest += b"4" * (MAX_LINE_BYTES - len(longest))
    assert len(longest) == MAX_LINE_BYTES
    for end in (b"\n", b"\r\n", b""):
        for size in (1000, 8 << 20):
            got = read_columns(io.BytesIO(b"a 24\n" + longest + end), mode="full", segment="24", size=size)
            assert [row[0] for row in got.rows] == [1, 2]
            got = read_columns(io.BytesIO(b"a 24\n" + longest + b"4" + end + b"\nb 24"), mode="full", segment="24")
            assert [entry[:2] for entry in got.rejected] == [(2, "line_too_long")]
    assert len(got.rejected[0][2]) == 256


def test_a_record_that_was_rejected_is_never_shown():
    batch = parse_rows(Block(b"secret@example.com\n", 0), mode="full", segment="24")
    assert "secret" not in repr(batch.rejected)
    assert "secret" not in repr(Block(b"secret@example.com\n", 0))


def test_no_block_and_an_empty_one():
    assert read_columns(io.BytesIO(b""), mode="full", segment="24") == read_plainly(b"", mode="full", segment="24")
    batch = parse_rows(Block(b"", 0), mode="full", segment=None)
    assert (len(batch.ids), batch.line_count, batch.nonblank, batch.rejected) == (0, 0, 0, [])
