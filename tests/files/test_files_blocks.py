"""Opening files and cutting them into blocks: compressed, damaged, huge, or no files of lines at all."""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import random
import threading
import zlib
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from symbolon.files import (
    FileCut,
    FileEmpty,
    FileFormatError,
    FileKindError,
    FileMissing,
    FileTooLarge,
    FileUnreadable,
    blocks,
    open_bytes,
)
from symbolon.files.blocks import RATIO_FROM_BYTES

LINE = b"59767559181262060060278870901087098252 24,26\n"


def content(source: object, **options: object) -> bytes:
    with open_bytes(source, **options) as stream:
        return b"".join(block.data for block in blocks(stream, size=1 << 16))


def noise(lines: int) -> bytes:
    generator = random.Random(7)
    return b"".join(b"%038d 24\n" % generator.randrange(10**38) for _ in range(lines))


@pytest.mark.parametrize("name", ["a.sync", "a.sync.gz"])
@pytest.mark.parametrize("compressed", [False, True])
def test_gzip_is_told_by_its_bytes_not_by_its_name(tmp_path: Path, name: str, compressed: bool):
    text = noise(5000)
    path = tmp_path / name
    path.write_bytes(gzip.compress(text) if compressed else text)
    assert content(path) == text
    with path.open("rb") as stream:
        assert content(stream) == text
        assert not stream.closed


def test_gzip_in_several_members(tmp_path: Path):
    text = noise(300)
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(text) + gzip.compress(LINE) + gzip.compress(b""))
    assert content(path) == text + LINE


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9, 0.9999])
def test_a_cut_gzip_is_refused(tmp_path: Path, kept: float):
    data = gzip.compress(noise(20_000))
    path = tmp_path / "a.gz"
    path.write_bytes(data[: int(len(data) * kept)])
    with pytest.raises(FileCut):
        content(path)


def test_a_damaged_gzip_is_refused(tmp_path: Path):
    data = bytearray(gzip.compress(noise(20_000)))
    path = tmp_path / "a.gz"
    for place in (15, len(data) // 2, len(data) - 6):
        broken = bytearray(data)
        broken[place] ^= 0x55
        path.write_bytes(broken)
        with pytest.raises(FileCut):
            content(path)
    path.write_bytes(data + b"garbage behind the end")
    with pytest.raises(FileCut):
        content(path)


def bomb(size: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    piece = LINE * (1 << 14)
    return b"".join([*(packer.compress(piece) for _ in range(size // len(piece) + 1)), packer.flush()])


def test_a_gzip_bomb_is_stopped_early(tmp_path: Path):
    path = tmp_path / "a.gz"
    path.write_bytes(bomb(3 * RATIO_FROM_BYTES))
    read = []

    def read_all() -> None:
        with open_bytes(path) as stream:
            read.extend(len(block.data) for block in blocks(stream, size=1 << 20))

    with pytest.raises(FileTooLarge, match="times its size"):
        read_all()
    assert sum(read) < 2 * RATIO_FROM_BYTES
    with pytest.raises(FileTooLarge, match="more than"):
        content(path, max_ratio=10_000, max_unpacked_bytes=1 << 20)
    with open_bytes(path, max_ratio=10_000) as stream:
        assert sum(len(block.data) for block in blocks(stream)) > 3 * RATIO_FROM_BYTES


def test_closing_early_stops_the_unpacking(tmp_path: Path):
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(noise(100_000), 1))
    before = threading.active_count()
    with open_bytes(path) as stream:
        stream.read(10)
    assert threading.active_count() == before
    assert stream.closed
    with pytest.raises(FileTooLarge):
        open_bytes(path, max_unpacked_bytes=1)
    with pytest.raises(FileTooLarge):
        content(path, max_unpacked_bytes=1 << 20)
    assert threading.active_count() == before


def test_an_id_may_begin_as_other_files_do(tmp_path: Path):
    path = tmp_path / "a.sync"
    for start in (b"PAR1", b"%PDF", b"BZh", b"GIF8", b"ORC", b"Obj", b"PK", b"\xff\xfe"):
        path.write_bytes(start + b" 24\n" + LINE * 3)
        assert content(path).startswith(start)


KINDS = {
    "picture": b"\x89PNG\r\n\x1a\n" + bytes(100),
    "zip": b"PK\x03\x04" + bytes(100),
    "pdf": b"%PDF-1.7\n",
    "zstd": b"\x28\xb5\x2f\xfd" + bytes(50),
    "utf-16": LINE.decode().encode("utf-16"),
    "utf-16-be without mark": LINE.decode().encode("utf-16-be"),
    "twice": gzip.compress(LINE),
    "pgp": b"-----BEGIN PGP MESSAGE-----\n",
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("compressed", [False, True])
def test_other_kinds_of_files_are_named(tmp_path: Path, kind: str, compressed: bool):
    path = tmp_path / "a.sync"
    if kind == "twice" and not compressed:
        pytest.skip("that is a compressed file")
    path.write_bytes(gzip.compress(KINDS[kind]) if compressed else KINDS[kind])
    with pytest.raises(FileKindError) as caught:
        open_bytes(path)
    assert caught.value.hint


def test_parquet_is_no_file_of_lines(tmp_path: Path):
    pq.write_table(pa.table({"id": ["a"]}), tmp_path / "a.sync")
    with pytest.raises(FileKindError, match="Parquet"):
        open_bytes(tmp_path / "a.sync")


def test_empty_missing_unreadable_and_irregular(tmp_path: Path):
    path = tmp_path / "a.sync"
    path.write_bytes(b"")
    with pytest.raises(FileEmpty):
        open_bytes(path)
    path.write_bytes(gzip.compress(b""))
    with pytest.raises(FileEmpty):
        open_bytes(path)
    with pytest.raises(FileMissing):
        open_bytes(tmp_path / "none")
    with pytest.raises(FileMissing):
        open_bytes(path / "inside a file")
    with pytest.raises(FileKindError):
        open_bytes(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FileKindError):
        open_bytes(tmp_path / "pipe")
    with pytest.raises(FileKindError):
        open_bytes(type(path)("/dev/null"))
    with pytest.raises(FileUnreadable):
        open_bytes(type(path)("a\0b"))
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    with pytest.raises(FileUnreadable):
        open_bytes(loop)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_of_somebody_else(tmp_path: Path):
    path = tmp_path / "a.sync"
    path.write_bytes(LINE)
    path.chmod(0)
    with pytest.raises(FileUnreadable, match="permission"):
        open_bytes(path)


class Dribble(io.RawIOBase):
    """A stream that gives a few bytes at a time, as a pipe does."""

    def __init__(self, data: bytes, step: int) -> None:
        self._data, self._step = io.BytesIO(data), step

    def read(self, size: int = -1) -> bytes:
        return self._data.read(min(self._step, size) if size >= 0 else self._step)


@given(st.binary(max_size=2000), st.integers(1, 7), st.integers(1, 3000))
def test_blocks_are_the_bytes(text: bytes, step: int, size: int):
    got = list(blocks(Dribble(text, step), size=size))
    assert b"".join(block.data for block in got) == text.removeprefix(b"\xef\xbb\xbf")
    assert [block.number for block in got] == list(range(len(got)))
    assert all(block.data.endswith(b"\n") for block in got[:-1])


def test_a_gigantic_line_does_not_fill_memory():
    class Endless(io.RawIOBase):
        left = 300

        def read(self, size: int = -1) -> bytes:
            self.left -= 1
            return b"x" * (1 << 20) if self.left > 0 else b"\na 24\n" if self.left == 0 else b""

    got = list(blocks(Endless(), size=1 << 20))
    assert [block.data for block in got] == [b"\na 24\n"]
    assert got[0].cut == ((0, b"x" * 256),)


@given(st.binary(max_size=300), st.booleans())
def test_any_bytes_are_opened_or_refused(text: bytes, compressed: bool):
    data = gzip.compress(text) if compressed else text
    with contextlib.suppress(FileFormatError), open_bytes(io.BytesIO(data)) as stream:
        assert stream.read() == text
