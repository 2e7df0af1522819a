"""A file set: the parts of one delivery and its control file, found, ordered and checked.

Invariant: a set that is handed out is complete, as far as anybody can know: with a control file all its files are
there; without one the parts are numbered without a gap, and no further part has come for as long as was asked.

Source: Audience Manager documentation, "Outbound data file name" (first part without number, then 001, 002 ...),
"Transfer-control files" (same root, `.info`; parts written `-1`; may arrive before the data).
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from symbolon.errors import Location
from symbolon.files.blocks import check_regular, open_bytes
from symbolon.files.errors import FileNameError, IncompleteSet, InfoError, InfoMismatch
from symbolon.files.info import MAX_INFO_BYTES, Info, InfoPart, parse_info
from symbolon.files.names import FileName, is_of_the_family, parse_name

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

INFO_SUFFIX = ".info"
_READ_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class FileSet:
    """The parts of one delivery, in order."""

    parts: tuple[Path, ...]
    #: elements of the first part's name; None = simple lists
    name: FileName | None = None
    info: Info | None = None
    #: what a person should know: parts that were found, checks that could not be made
    warnings: tuple[str, ...] = ()

    @property
    def is_split(self) -> bool:
        """Whether the delivery is in numbered parts, so that without a control file more may be on their way."""
        if self.name is None:
            return False
        return len(self.parts) > 1 or self.name.split > 0

    @property
    def newest_mtime(self) -> float:
        """When the youngest part was last written, seconds since 1970."""
        return max(path.stat().st_mtime for path in self.parts)


def collect_set(
    paths: Sequence[Path],
    *,
    timestamp: str = "milliseconds",
    wait_s: float = 0.0,
    now: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
) -> FileSet:
    """Find the parts that belong together, and their control file.

    Further parts and the `.info` beside the given files belong to the set and are taken; a warning names the parts.

    Args:
        paths: one file, or parts of one set, perhaps with their `.info`, in any order. Files whose names are no segment
            files' names are simple lists and kept as given.
        timestamp: how a run of 13 digits in a name is read: `milliseconds` or `seconds`.
        wait_s: a split set without `.info` is complete when its youngest part is this old; until then this waits.
        now: the clock, seconds since 1970.
        sleep: how to wait.

    Raises:
        FileNameError: a name of neither kind, or files of several sets.
        FileMissing, FileKindError, FileUnreadable: one of the files is none.
        InfoError: the control file cannot be read, or is about other files.
        IncompleteSet: parts are missing; the message names them.
    """
    while True:
        found = _collect(paths, timestamp)
        if not found.is_split or found.info is not None:
            return found
        rest = found.newest_mtime + wait_s - now()
        # a clock that was set back must not make us wait longer than asked
        if rest <= 0:
            return found
        sleep(min(rest, wait_s, 1.0))


def verify(files: FileSet, *, lines: bool = True) -> None:
    """Check the parts against their control file: byte size, md5 and line count. Without one there is nothing to check.

    Args:
        files: a complete set.
        lines: whether to count lines too; compressed parts must be unpacked for it.

    Raises:
        InfoMismatch: a part is not what the control file describes.
        FileCut, FileTooLarge: a compressed part is damaged, or unpacks to too much.
    """
    if files.info is None:
        return
    said = {part.name: part for part in files.info.parts}
    for path in files.parts:
        _verify_part(path, said[path.name], lines=lines)


def _collect(paths: Sequence[Path], timestamp: str) -> FileSet:
    if not paths:
        raise FileNameError("no file was given", hint="name at least one file")
    given = list(dict.fromkeys(Path(path) for path in paths))
    for path in given:
        check_regular(path)
    control = [path for path in given if path.name.lower().endswith(INFO_SUFFIX)]
    data = [path for path in given if path not in control]
    if len(control) > 1:
        raise FileNameError("two control files were given; one delivery has one", where=Location(str(control[1])))
    names = {path: _name_of(path, timestamp) for path in data}
    segment_files = [path for path in data if names[path] is not None]
    if data and not segment_files:
        if control:
            return _by_info(control[0], data, timestamp)
        return FileSet(tuple(data))
    if len(segment_files) != len(data):
        other = next(path for path in data if names[path] is None)
        raise FileNameError("segment files and other files do not make one set", where=Location(str(other)))
    roots = {name.root for name in names.values() if name is not None}
    if len(roots) > 1:
        raise FileNameError(
            f"files of {len(roots)} deliveries were given: {', '.join(f'`{root}`' for root in sorted(roots)[:5])}",
            hint="import one delivery at a time, the oldest first",
        )
    info_path = control[0] if control else _control_beside(segment_files[0], names[segment_files[0]])
    if info_path is not None:
        return _by_info(info_path, data, timestamp)
    return _by_numbers(data, roots.pop(), timestamp)


def _name_of(path: Path, timestamp: str) -> FileName | None:
    name = parse_name(path.name, timestamp=timestamp)
    if name is None and is_of_the_family(path.name):
        raise FileNameError(f"`{path.name}` is no name of a segment file", where=Location(str(path)))
    return name


def _control_beside(path: Path, name: FileName | None) -> Path | None:
    """Find the control file of a part: `root.info`, or, as the documents' own example has it, of the other mode."""
    if name is None:
        return None
    swapped = name.root
    if name.mode is not None:
        head, _, tail = name.root.rpartition(name.mode)
        swapped = head + ("iter" if name.mode == "full" else "full") + tail
    stems = [name.root, path.name, path.name.removesuffix(".gz"), swapped]
    for place, stem in enumerate(stems):
        candidate = path.with_name(stem + INFO_SUFFIX)
        if candidate.is_file() and (place < len(stems) - 1 or _mentions(candidate, path.name)):
            return candidate
    return None


def _mentions(control: Path, name: str) -> bool:
    """Whether a control file of another root is about this file all the same."""
    return control.stat().st_size <= MAX_INFO_BYTES and name.encode() in control.read_bytes()


def _by_info(info_path: Path, data: list[Path], timestamp: str) -> FileSet:
    """Take exactly the files that the control file lists; they lie beside it or beside the given parts."""
    info = _read_info(info_path)
    places = {path.name: path for path in data}
    listed = {part.name for part in info.parts}
    strangers = [path for path in data if path.name not in listed]
    if strangers:
        raise InfoError(f"the control file does not list `{strangers[0].name}`", where=Location(str(info_path)))
    folder = data[0].parent if data else info_path.parent
    parts: list[Path] = []
    missing: list[str] = []
    for part in info.parts:
        beside = [places.get(part.name), folder / part.name, info_path.with_name(part.name)]
        path = next((place for place in beside if place is not None and place.exists()), None)
        if path is None:
            missing.append(part.name)
        else:
            check_regular(path)
            parts.append(path)
    if missing:
        raise _incomplete(missing, len(info.parts), info_path)
    warnings = _taken(parts, data) if data else []
    if info.unchecked:
        warnings.append(f"the control file's md5 of {_listed(info.unchecked)} is no md5 and was not checked")
    names = [_name_of(path, timestamp) for path in parts]
    if any(name is None for name in names) and any(name is not None for name in names):
        raise InfoError("the control file lists segment files and other files", where=Location(str(info_path)))
    if all(part.sequence is None for part in info.parts):
        order = sorted(range(len(parts)), key=lambda place: _split(names[place]))
        parts, names = [parts[place] for place in order], [names[place] for place in order]
    return FileSet(tuple(parts), names[0], info, tuple(warnings))


def _by_numbers(data: list[Path], root: str, timestamp: str) -> FileSet:
    """Take the parts with the same root that lie beside the given ones; their numbers must have no gap."""
    found: dict[int, Path] = {}
    beside = [path for folder in dict.fromkeys(path.parent for path in data) for path in _same_root(folder, root)]
    names: dict[int, FileName] = {}
    for path in [*data, *beside]:
        name = parse_name(path.name, timestamp=timestamp)
        if name is None or name.root != root:
            continue
        known = found.setdefault(name.split, path)
        names.setdefault(name.split, name)
        if known.name != path.name or (known != path and path in data):
            raise FileNameError(
                f"`{known.name}` and `{path.name}` are the same part of one delivery",
                where=Location(str(path)),
                hint="keep one of them, the compressed or the plain one",
            )
    numbers = sorted(found)
    is_dash = any(name.dash for name in names.values())
    # `-1` begins to count at one; glued numbers follow a first part that has none
    begin = 0 if 0 in found or not is_dash else 1
    gaps = sorted(set(range(begin, numbers[-1] + 1)) - set(numbers)) if numbers[-1] < 1_000_000 else [begin]
    if gaps:
        sample = names[numbers[-1]]
        ending = sample.raw[len(sample.root) :].split(".", 1)[1]
        shown = [_part_name(root, number, ending, is_dash=is_dash) for number in gaps[:20]]
        raise _incomplete(shown, numbers[-1] + 1 - begin, found[numbers[-1]], len(gaps))
    parts = [found[number] for number in numbers]
    return FileSet(tuple(parts), names[numbers[0]], None, tuple(_taken(parts, data)))


def _same_root(folder: Path, root: str) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.name.startswith(root) and path.is_file())


def _part_name(root: str, number: int, ending: str, *, is_dash: bool) -> str:
    if not number:
        return f"{root}.{ending}"
    return f"{root}-{number}.{ending}" if is_dash else f"{root}{number:03}.{ending}"


def _split(name: FileName | None) -> int:
    return name.split if name is not None else 0


def _taken(parts: list[Path], data: list[Path]) -> list[str]:
    """Warn of parts that nobody named."""
    added = [path.name for path in parts if path not in data]
    return [f"further parts of the same delivery were found and taken: {_listed(added)}"] if added else []


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")


def _incomplete(missing: Sequence[str], total: int, where: Path, count: int | None = None) -> IncompleteSet:
    count = len(missing) if count is None else count
    return IncompleteSet(
        f"{count} of {total} parts are missing: {_listed(missing)}",
        where=Location(str(where)),
        details={"missing": list(missing[:100]), "parts": total},
    )


def _read_info(path: Path) -> Info:
    check_regular(path)
    with path.open("rb") as file:
        content = file.read(MAX_INFO_BYTES + 1)
    return parse_info(content, where=str(path))


def _verify_part(path: Path, said: InfoPart, *, lines: bool) -> None:
    where = Location(str(path))

    def differs(what: str, expected: str, got: str) -> InfoMismatch:
        return InfoMismatch(f"{what} is {got}; the control file says {expected}", where=where)

    size = check_regular(path).st_size
    if said.size_bytes is not None and size != said.size_bytes:
        raise differs("its size", f"{said.size_bytes:,} bytes", f"{size:,} bytes")
    if said.md5 is not None:
        with path.open("rb") as file:
            got = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
        if got != said.md5:
            raise differs("its md5", said.md5, got)
    if lines and said.lines is not None:
        ended, open_line = _count_lines(path)
        # `wc -l` does not count a last line without an end; both ways of counting are met
        if said.lines not in (ended, ended + open_line):
            raise differs("its line count", f"{said.lines:,} lines", f"{ended + open_line:,} lines")


def _count_lines(path: Path) -> tuple[int, int]:
    """Count line ends, and 1 if something follows the last."""
    ended, last = 0, b"\n"
    with open_bytes(path) as stream:
        while chunk := stream.read(_READ_BYTES):
            ended += chunk.count(b"\n")
            last = chunk[-1:]
    return ended, int(last != b"\n")
