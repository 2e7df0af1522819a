# ruff: noqa: S101 - a suite of tests
"""What every transport must do, as tests. The subclass supplies the fixture `transport`: open, and empty.

Invariant: each test says what a caller sees, never how the other side does it.
"""

from __future__ import annotations

import datetime as dt
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from symbolon.errors import SymbolonError
from symbolon.testing.marks import Conformance
from symbolon.transports import NameRefused, RemoteChanged, RemoteExists, RemoteMissing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from symbolon.transports import Transport

#: names that lead elsewhere, or that nobody should give a file
BAD_NAMES = (
    "", "/", "/etc/passwd", "..", "../x", "a/../../x", "a/..", ".", "./a", "a//b", "a/", "a\\b", "..\\x", "a\nb",
    "a\0b", "\x1b[2Jx", "a\x7f", "\ud800", "a\u2028b", "x" * 300, "a/" * 600 + "x", ".symbolon-0.part",
    "a/.symbolon-0.part/b",
)  # fmt: skip
#: names that are unusual, and allowed
GOOD_NAMES = (
    "a", "a b", "é", "e\u0301", "日本語.csv", "😀.txt", "a..b", "a..", "a'b\"c", "a;b&c|d", "$(x)", "%2e%2e", "100%",
    "a+b", "a?b", "a#b", "[x]*", "-rf", "a:b", "x" * 255, "deep/er/and/deeper/x", "ftp_dpm_901_1368806402.sync.gz",
)  # fmt: skip


class TransportConformance(Conformance):
    """Subclass it in a test module as `Test...` and give the fixture `transport`."""

    #: size of the file that has to go in several pieces, bytes
    large: ClassVar[int] = 20_000_000

    @pytest.fixture
    def file(self, tmp_path: Path) -> Callable[..., Path]:
        """Makes a local file of some bytes."""
        count = iter(range(1_000_000))

        def make(content: bytes = b"content\n") -> Path:
            path = tmp_path / f"local-{next(count)}"
            path.write_bytes(content)
            return path

        return make

    def test_what_was_put_comes_back(self, transport: Transport, file: Any, tmp_path: Path) -> None:
        """Bytes, size and name survive; the fetched copy is private."""
        content = bytes(range(256)) * 5
        sent = transport.put(file(content), "a/b/data.bin")
        assert (sent.name, sent.size_bytes) == ("a/b/data.bin", len(content))
        assert abs(sent.modified - dt.datetime.now(dt.UTC)) < dt.timedelta(hours=1)
        target = tmp_path / "fetched"
        assert transport.fetch("a/b/data.bin", target) == transport.stat("a/b/data.bin") == sent
        assert target.read_bytes() == content
        assert target.stat().st_mode & 0o777 == 0o600
        assert transport.list() == [sent]

    def test_a_spare_file_may_be_handed_over(self, transport: Transport, file: Any, tmp_path: Path) -> None:
        """It is there whole and by itself, whatever becomes of the source; a taken name leaves the source as it was."""
        source = file(b"spare" * 1000)
        sent = transport.put(source, "d/spare", is_spare=True)
        source.unlink()
        assert transport.fetch("d/spare", tmp_path / "copy") == transport.stat("d/spare") == sent
        assert (tmp_path / "copy").read_bytes() == b"spare" * 1000
        other = file(b"other")
        with pytest.raises(RemoteExists):
            transport.put(other, "d/spare", is_spare=True)
        assert other.read_bytes() == b"other"
        transport.put(other, "d/spare", overwrite=True, is_spare=True)
        transport.fetch("d/spare", tmp_path / "again")
        assert (tmp_path / "again").read_bytes() == b"other"
        assert transport.list() == [transport.stat("d/spare")]

    def test_an_empty_file(self, transport: Transport, file: Any, tmp_path: Path) -> None:
        """Nothing is something too."""
        sent = transport.put(file(b""), "empty")
        assert sent.size_bytes == 0
        assert transport.fetch("empty", tmp_path / "e", expected=sent).size_bytes == 0
        assert (tmp_path / "e").read_bytes() == b""

    def test_a_large_file(self, transport: Transport, file: Any, tmp_path: Path) -> None:
        """It goes in several pieces, and comes back as one."""
        content = os.urandom(1 << 20) * (self.large // (1 << 20)) + b"end"
        sent = transport.put(file(content), "large.bin")
        assert sent.size_bytes == len(content)
        transport.fetch("large.bin", tmp_path / "large")
        assert (tmp_path / "large").read_bytes() == content

    def test_nothing_is_there(self, transport: Transport, tmp_path: Path) -> None:
        """What is missing is told as missing; deleting it is no fault."""
        assert transport.stat("absent") is None
        assert transport.stat("no/folder/absent") is None
        for missing in ("absent", "no/folder/absent"):
            with pytest.raises(RemoteMissing):
                transport.fetch(missing, tmp_path / "x")
            with pytest.raises(RemoteMissing):
                transport.move(missing, "y")
            transport.delete(missing)
        assert not (tmp_path / "x").exists()

    def test_a_file_is_not_replaced_by_accident(self, transport: Transport, file: Any, tmp_path: Path) -> None:
        """Putting refuses a taken name; with `overwrite` the new content is there whole."""
        first = transport.put(file(b"first"), "d/x")
        with pytest.raises(RemoteExists):
            transport.put(file(b"second"), "d/x")
        assert transport.stat("d/x") == first
        second = transport.put(file(b"second one"), "d/x", overwrite=True)
        assert second.fingerprint != first.fingerprint
        transport.fetch("d/x", tmp_path / "x", expected=second)
        assert (tmp_path / "x").read_bytes() == b"second one"
        assert len(transport.list()) == 1

    def test_one_of_many_gets_a_name(self, transport: Transport, file: Any, tmp_path: Path) -> None:
        """Of several that put one name at once, exactly one succeeds, and its content is there."""
        files = [file(f"writer {number}".encode()) for number in range(6)]
        outcomes = _at_once(6, lambda number: transport.put(files[number], "contested"))
        winners = [number for number, outcome in enumerate(outcomes) if not isinstance(outcome, SymbolonError)]
        assert all(isinstance(one, RemoteExists) for one in outcomes if isinstance(one, SymbolonError))
        assert len(winners) == 1
        transport.fetch("contested", tmp_path / "x")
        assert (tmp_path / "x").read_text() == f"writer {winners[0]}"

    def test_another_than_was_listed(self, transport: Transport, file: Any, tmp_path: Path) -> None:
        """Who expects a certain file does not get a later one; the target stays as it was."""
        listed = transport.put(file(b"one"), "x")
        transport.put(file(b"another"), "x", overwrite=True)
        target = tmp_path / "x"
        target.write_bytes(b"mine")
        with pytest.raises(RemoteChanged):
            transport.fetch("x", target, expected=listed)
        assert target.read_bytes() == b"mine"
        assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []

    def test_moving(self, transport: Transport, file: Any, tmp_path: Path) -> None:
        """A file gets another name and keeps its content; a taken name is refused, and nothing changes."""
        transport.put(file(b"moved"), "in/x")
        taken = transport.put(file(b"taken"), "out/y")
        with pytest.raises(RemoteExists):
            transport.move("in/x", "out/y")
        assert transport.stat("out/y") == taken
        transport.move("in/x", "done/2026/x")
        assert [one.name for one in transport.list()] == ["done/2026/x", "out/y"]
        transport.fetch("done/2026/x", tmp_path / "x")
        assert (tmp_path / "x").read_bytes() == b"moved"

    def test_listing(self, transport: Transport, file: Any) -> None:
        """By folder, by pattern, by name, up to a limit; a folder is no prefix of other names."""
        names = ["a/1.sync", "a/2.csv", "a/b/3.sync", "ab/4.sync", "z.sync", "Z.SYNC"]
        for name in names:
            transport.put(file(), name)
        assert [one.name for one in transport.list()] == sorted(names)
        assert [one.name for one in transport.list("a")] == ["a/1.sync", "a/2.csv", "a/b/3.sync"]
        assert transport.list("a/") == transport.list("a")
        assert [one.name for one in transport.list("a", "*.sync")] == ["a/1.sync", "a/b/3.sync"]
        assert [one.name for one in transport.list(pattern="?.sync", limit=2)] == ["a/1.sync", "a/b/3.sync"]
        assert [one.name for one in transport.list(limit=1, without=("Z.SYNC", "a/"))] == ["ab/4.sync"]
        assert transport.list("absent") == []
        assert transport.list(limit=0) == []

    def test_hidden_files_are_not_listed(self, transport: Transport, file: Any) -> None:
        """A `.` in front says: not for you, or not yet."""
        transport.put(file(), ".hidden")
        transport.put(file(), ".folder/x")
        transport.put(file(), "seen")
        assert [one.name for one in transport.list()] == ["seen"]
        assert transport.stat(".hidden") is not None

    @pytest.mark.parametrize("name", BAD_NAMES, ids=ascii)
    def test_bad_names(self, transport: Transport, file: Any, tmp_path: Path, name: str) -> None:
        """Whatever is asked for, nothing outside the root is touched."""
        calls: list[Callable[[], object]] = [
            lambda: transport.put(file(), name),
            lambda: transport.fetch(name, tmp_path / "x"),
            lambda: transport.stat(name),
            lambda: transport.delete(name),
            lambda: transport.move(name, "y"),
            lambda: transport.move("x", name),
        ]
        for call in calls:
            with pytest.raises(NameRefused):
                call()
        if name not in ("", "a/"):  # which are folders
            with pytest.raises(NameRefused):
                transport.list(name)

    def test_unusual_names(self, transport: Transport, file: Any, tmp_path: Path) -> None:
        """What is allowed comes back as it was given, letter by letter."""
        for number, name in enumerate(GOOD_NAMES):
            transport.put(file(str(number).encode()), name)
        assert [one.name for one in transport.list()] == sorted(GOOD_NAMES)
        for number, name in enumerate(GOOD_NAMES):
            transport.fetch(name, tmp_path / "x")
            assert (tmp_path / "x").read_text() == str(number)
            transport.delete(name)
        assert transport.list() == []

    def test_it_can_be_probed(self, transport: Transport) -> None:
        """The probe leaves nothing behind."""
        probes = transport.check()
        assert [(probe.step, probe.passed) for probe in probes] == [
            ("list", True), ("write", True), ("read", True), ("delete", True),
        ]  # fmt: skip
        assert transport.list() == []

    def test_several_threads(self, transport: Transport, file: Any, tmp_path: Path) -> None:
        """One transport serves many at once."""

        def both(number: int) -> bytes:
            transport.put(file_of[number], f"t/{number}")
            transport.fetch(f"t/{number}", tmp_path / f"back-{number}")
            return (tmp_path / f"back-{number}").read_bytes()

        file_of = [file(bytes([number]) * 100_000) for number in range(6)]
        assert _at_once(6, both) == [bytes([number]) * 100_000 for number in range(6)]

    def test_closing_twice(self, transport: Transport) -> None:
        """Whoever is not sure may close again."""
        transport.list()
        transport.close()
        transport.close()

    def test_its_place_is_for_people(self, transport: Transport) -> None:
        """It says where, and who by no word."""
        assert "://" in transport.place
        assert "@" not in transport.place


def _at_once(count: int, work: Callable[[int], object]) -> list[Any]:
    start = threading.Barrier(count)

    def guarded(number: int) -> object:
        start.wait(30)
        try:
            return work(number)
        except SymbolonError as error:
            return error

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(guarded, range(count)))
