"""Generated hostile lines, every one accounted for: `python tests/files/fuzz_files.py [LINES] [SEED]`.

The tests run a million, from four seeds; the command runs as many as asked, from a seed that it prints.
"""

from __future__ import annotations

import gzip
import io
import random
import sys
import time

from files_oracle import read_columns, read_plainly

from symbolon.files import ColumnNeeded, FileFormatError, open_bytes, read_list

PIECES = [
    b"59767559181262060060278870901087098252", b"a@b.c", b"24", b"24,26", b"26,24,24", b"seg.A:1-b_2", b",", b"24,,26",
    b" ", b" ", b" ", b"\t", b"  ", b" \t", b"\r", b"\0", b"\xff", b"\xc3\xa9", b"\xc3", b"\x0b", b"\x1f", b'"', b'""',
    b";", b"|", b"x" * 64, b"y" * 65, b"z" * 300, b"{", b'{"id":"a"}', b"\xef\xbb\xbf", b"PK\x03\x04", b"=1+1",
    "\u202e\u0085 ".encode(), "\U0001f600".encode(),
]  # fmt: skip
ENDS = [b"\n"] * 8 + [b"\r\n", b"\r\n", b"\n\n", b" \n", b"\r", b"\r\r\n"]
MAX_LINE = 256


def hostile(generator: random.Random, lines: int) -> bytes:
    """Make about so many lines: half of them plausible, the others of any pieces."""
    out = []
    for _ in range(lines):
        if generator.random() < 0.5:
            out += [b"%038d " % generator.randrange(10**38), generator.choice(PIECES[2:6])]
        else:
            out += generator.choices(PIECES, k=generator.randint(0, 7))
        out.append(generator.choice(ENDS))
    return b"".join(out)


def check_rows(generator: random.Random, text: bytes) -> int:
    """Compare the columnar reader with the plain one; give the lines that were read."""
    mode, segment = generator.choice(["full", "iter"]), generator.choice(["24", "seg.A:1-b_2", None])
    expected = read_plainly(text, mode=mode, segment=segment, max_line=MAX_LINE)
    size = generator.choice([64, 1000, 4096, 1 << 16, 8 << 20])
    got = read_columns(io.BytesIO(text), mode=mode, segment=segment, size=size, max_line=MAX_LINE)
    assert got == expected, (mode, segment, size)
    assert got.accounted() == got.nonblank
    return got.line_count


def check_list(generator: random.Random, text: bytes) -> int:
    """Read the same as a list: every row is an ID or a rejected record, whatever the blocks."""
    found = []
    for size in (generator.choice([64, 1000, 4096]), 8 << 20):
        rows, rejected, nonblank, lines = [], [], 0, 0
        for batch in read_list(io.BytesIO(b"id,n\n" + text), column="id", format="csv", size=size, max_line=MAX_LINE):
            rows += zip(batch.lines.tolist(), batch.ids.to_pylist(), strict=True)
            rejected += [(entry.line, entry.reason, entry.raw) for entry in batch.rejected]
            nonblank += batch.nonblank
            lines += batch.line_count
        assert len(rows) + len(rejected) == nonblank
        assert len({line for line, *_ in [*rows, *rejected]}) == nonblank
        found.append((rows, rejected, nonblank, lines))
    assert found[0] == found[1]
    return found[0][3]


def check_damaged(generator: random.Random, text: bytes) -> None:
    """Cut or damage a compressed file: it is read whole or refused, never in part."""
    data = bytearray(gzip.compress(text, 1))
    if generator.random() < 0.5:
        del data[generator.randrange(len(data)) :]
    else:
        data[generator.randrange(len(data))] ^= 1 << generator.randrange(8)
    try:
        with open_bytes(io.BytesIO(bytes(data))) as stream:
            got = stream.read()
    except FileFormatError:
        return
    # what is no gzip any more is read as it is, and a header's time stamp changes nothing
    assert got in (text, bytes(data))


def check_any(text: bytes) -> None:
    """Read without any hint: an answer or a refusal."""
    try:
        for _ in read_list(io.BytesIO(text)):
            pass
    except (ColumnNeeded, FileFormatError):
        pass


def fuzz(lines: int, seed: int, seconds: float = float("inf")) -> int:
    """Check about so many lines; give how many there were."""
    generator = random.Random(seed)
    done, stop = 0, time.monotonic() + seconds
    while done < lines and time.monotonic() < stop:
        text = hostile(generator, generator.choice([3, 50, 2000, 10_000]))
        done += check_rows(generator, text)
        if generator.random() < 0.15:
            done += check_list(generator, text)
        check_damaged(generator, text[:20_000])
        check_any(text[:5_000])
    return done


if __name__ == "__main__":
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000
    start = int(sys.argv[2]) if len(sys.argv) > 2 else random.SystemRandom().randrange(1 << 32)
    print(f"seed {start}")
    began = time.monotonic()
    print(f"{fuzz(wanted, start):,} lines, every one accounted for, in {time.monotonic() - began:.1f} s")
