"""What `symbolon doctor` looks at. Each check is one fact about one part, and says how to mend it.

Invariant: a check that fails hides no other: whatever can still be looked at is. Without `fix` nothing is changed.
"""

from __future__ import annotations

import fcntl
import os
import platform
import shutil
import sqlite3
import stat
import sys
from contextlib import closing, contextmanager
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Literal

import msgspec

from symbolon import __version__
from symbolon.cli.failures import from_system, from_unexpected
from symbolon.errors import EngineError, SymbolonError, TransportError
from symbolon.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from symbolon.app import Project
    from symbolon.records import DataSource

_LIBRARIES = (
    "duckdb", "ibis-framework", "pyarrow", "deltalake", "sqlalchemy", "numpy", "msgspec", "cryptography", "isal",
    "phonenumbers", "typer", "rich",
)  # fmt: skip
#: free bytes below which imports may fail, and surely will
_SCARCE, _NONE_LEFT = 2 << 30, 100 << 20


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the examination."""

    #: what was looked at
    name: str
    state: Literal["PASS", "WARN", "FAIL"]
    detail: str
    #: how to mend it; empty = nothing to mend
    mend: str = ""
    #: what the command ends with if this is the gravest failure
    exit_code: int = 0


def examine(path: Path, *, fix: bool = False) -> list[Check]:
    """Look at everything.

    Args:
        path: the project folder.
        fix: whether to remove what killed runs left, and to close their records.
    """
    from symbolon.app import Project  # noqa: PLC0415 - heavy

    checks = [*_installation()]
    with _failures("project", checks), Project.open(path) as project:
        checks.append(_passed("project", f"{project.settings.project}"))
        for look in (_store, _runs, _engine, _lake, _profiles, _audiences, _sources, _keys, _technical, _disk):
            if look in _ON_STORE and "store" not in vars(project):
                continue  # it cannot be opened, which is told already; each of these would wait for it again
            with _failures(look.__name__.removeprefix("_"), checks):
                checks.extend(look(project, fix))
    return checks


def _installation() -> Iterator[Check]:
    if sys.version_info >= (3, 11):  # noqa: UP036 - somebody may have forced the installation
        yield _passed(
            "python", f"{platform.python_version()} on {platform.platform(terse=True)}; symbolon {__version__}"
        )
    else:
        yield _failed("python", f"{platform.python_version()} is too old", "install Python 3.11 or later", 2)
    found, missing = [], []
    for name in _LIBRARIES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    if missing:
        yield _failed("libraries", f"missing: {', '.join(missing)}", "install symbolon again", 6)
    else:
        yield _passed("libraries", ", ".join(found))


def _store(project: Project, _fix: bool) -> Iterator[Check]:
    """Schema version, integrity and mode of the control store."""
    revision = project.store.schema_version
    file = project.settings.project / "symbolon.db"
    if project.settings.store or not file.is_file():
        faults = project.store.faults()
        for fault in faults:
            yield _failed("store", fault.summary, fault.hint, EngineError.exit_code)
        if not faults:
            yield _passed("store", f"schema {revision}, {project.store.place}")
        return
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        try:
            answer = str(connection.execute("pragma quick_check(1)").fetchone()[0])
        except sqlite3.DatabaseError as error:
            answer = type(error).__name__
    if answer != "ok":
        yield _failed("store", "the integrity check fails: the file is damaged", "restore symbolon.db from a backup", 6)
        return
    yield _passed("store", f"schema {revision}, integrity ok")
    yield from _private("store", file)


def _runs(project: Project, fix: bool) -> Iterator[Check]:
    """Runs whose process is gone."""
    from symbolon.records import RunState  # noqa: PLC0415 - heavy

    # runs of workflows can be gone on with: `_technical` tells of them
    running = [run for run in project.store.runs(1000) if run.state == RunState.RUNNING and not run.workflow]
    died = [run for run in running if not _is_alive(run.pid)]
    if not died:
        yield _passed("runs", f"{counted(len(running), 'run')} under way, none that died")
        return
    if fix:
        for run in died:
            project.store.finish_run(run.id, RunState.FAILED, "killed")
        yield _passed("runs", f"{counted(len(died), 'run')} that died: noted as failed")
        return
    works = ", ".join(sorted({run.work for run in died}))
    yield _warned("runs", f"{counted(len(died), 'run')} died ({works}); nothing of it counts", "symbolon doctor --fix")


def _engine(project: Project, _fix: bool) -> Iterator[Check]:
    """The engine of the settings: it starts, computes, and sees the files of the project."""
    yield _passed("engine", project.engine.examine())


def _lake(project: Project, fix: bool) -> Iterator[Check]:
    """Format and mode of the lake, and what killed runs left in it."""
    from symbolon.lake.lake import FORMAT  # noqa: PLC0415 - heavy

    lake = project.lake
    yield _passed("lake", f"format {FORMAT}, {counted(len(lake.tables()), 'table')}")
    yield from _private("lake", lake.root)
    if fix:
        removed = lake.vacuum_debris()
        yield _passed("debris", f"{counted(len(removed), 'left-over')} of killed runs removed")
        return
    left = _abandoned(lake.root / "attempts") + _abandoned(lake.root / "tmp")
    if left:
        yield _warned("debris", f"{counted(left, 'folder')} of killed runs; they do not count", "symbolon doctor --fix")
    else:
        yield _passed("debris", "nothing is left of killed runs")


def _profiles(project: Project, _fix: bool) -> Iterator[Check]:
    """How many profiles there are, and which digests are kept."""
    count = project.profiles.count
    state = project.store.state("profiles")
    indexes = sorted(state.facts.get("indexes", {})) if state is not None else []
    if not count:
        yield _warned("profiles", "there are none: nothing can match", "symbolon profiles import FILE")
        return
    unreadable = [table for table in project.lake.tables() if _is_people(table) and not _is_readable(project, table)]
    if unreadable:
        yield _failed(
            "profiles", f"tables that cannot be read: {', '.join(unreadable)}", _RESTORE, EngineError.exit_code
        )
        return
    more = f"; kept digests: {', '.join(indexes)}" if indexes else ""
    yield _passed("profiles", f"{counted(count, 'profile')}{more}")


def _audiences(project: Project, _fix: bool) -> Iterator[Check]:
    """Whether the current version of every audience can be read."""
    audiences = [audience for audience in project.store.audiences() if audience.version]
    broken = []
    for audience in audiences:
        current = project.store.version(audience.id, audience.version)
        name = f"audiences/{audience.id}"
        rows = _is_readable(project, f"{name}/rows", current.rows_version)
        rejects = current.rejects_version is None or _is_readable(project, f"{name}/rejects", current.rejects_version)
        if not (rows and rejects):
            broken.append(audience.name)
    if broken:
        names = ", ".join(f"`{name}`" for name in broken)
        yield _failed("audiences", f"the current version cannot be read: {names}", _RESTORE, EngineError.exit_code)
    else:
        yield _passed("audiences", f"{counted(len(audiences), 'audience')}, every current version can be read")


def _sources(project: Project, _fix: bool) -> Iterator[Check]:
    """Terms that wait for somebody."""
    sources = project.store.sources()
    waiting = [source.name for source in sources if source.terms and source.terms_accepted_at is None]
    if waiting:
        names = ", ".join(f"`{name}`" for name in waiting)
        yield _warned("sources", f"terms wait to be accepted: {names}", f"symbolon source accept {waiting[0]}")
    else:
        yield _passed("sources", f"{counted(len(sources), 'data source')}, no terms wait")


def _keys(project: Project, _fix: bool) -> Iterator[Check]:
    """The master key, and whether it opens the key of every source."""
    keyed = [source for source in project.store.sources() if source.key_version]
    if not keyed:
        yield _passed("keys", "no data source has a key")
        return
    faults = [(source, error) for source in keyed if (error := _unwraps(project, source)) is not None]
    for source, error in faults:
        yield _failed("keys", f"data source `{source.name}`: {error.summary}", error.hint, error.exit_code)
    if not faults:
        yield _passed("keys", f"the master key opens {counted(len(keyed), 'key')}")


def _technical(project: Project, _fix: bool) -> Iterator[Check]:
    for item in project.health.items():
        if item.state == "PASS":
            yield _passed(item.name, item.detail)
        elif item.state == "WARN":
            yield _warned(item.name, item.detail, item.mend)
        else:
            yield _failed(item.name, item.detail, item.mend, TransportError.exit_code)
    for run in project.workflows.runs():
        if project.workflows.is_interrupted(run):
            yield _warned(
                "workflow run", f"{run.id} of {run.workflow} lost its process", f"symbolon run resume {run.id}"
            )


def _disk(project: Project, _fix: bool) -> Iterator[Check]:
    """Free space where the lake is."""
    free = shutil.disk_usage(project.settings.project).free
    detail = f"{free / 2**30:,.1f} GiB free"
    if free < _NONE_LEFT:
        yield _failed("disk", detail, "free space, or move the project", EngineError.exit_code)
    elif free < _SCARCE:
        yield _warned("disk", detail, "large imports may need more")
    else:
        yield _passed("disk", detail)


_ON_STORE = (_runs, _profiles, _audiences, _sources, _keys, _technical)
_RESTORE = "restore the lake folder from a backup, or import again; older versions may still be there: rollback"


def _is_people(table: str) -> bool:
    return not table.startswith("audiences/")


def _is_readable(project: Project, table: str, number: int | None = None) -> bool:
    """Tell whether the log, and the footer of every file, of a version can be read, and name as many rows."""
    import pyarrow as pa  # noqa: PLC0415 - heavy
    import pyarrow.parquet as pq  # noqa: PLC0415

    try:
        there = project.lake.table(table)
        rows = sum(int(pq.read_metadata(file).num_rows) for file in there.files(number))
        return rows == there.rows(number)
    except (SymbolonError, OSError, pa.ArrowException):
        return False


def _unwraps(project: Project, source: DataSource) -> SymbolonError | None:
    try:
        project.sources.spec(source)
    except SymbolonError as error:
        return error
    return None


def _abandoned(parent: Path) -> int:
    """Count folders whose lock nobody holds."""
    names = {entry.name.removesuffix(".lock") for entry in parent.iterdir()} if parent.is_dir() else set()
    return sum(not _is_locked(parent / f"{name}.lock") for name in names)


def _is_locked(lock: Path) -> bool:
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return pid > 0


def _private(name: str, path: Path) -> Iterator[Check]:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        wanted = "700" if path.is_dir() else "600"
        yield _warned(name, f"others may read `{path.name}` (mode {mode:04o})", f"chmod {wanted} {path}")


@contextmanager
def _failures(name: str, checks: list[Check]) -> Iterator[None]:
    """Note what goes wrong inside as a failed check."""
    try:
        yield
    except SymbolonError as error:
        checks.append(_failed(name, error.summary, error.hint, error.exit_code))
    except OSError as error:
        shown = from_system(error)
        checks.append(_failed(name, shown.summary, shown.hint, shown.exit_code))
    except Exception as error:  # noqa: BLE001 - one part that breaks must not hide the others
        shown = from_unexpected(error)
        checks.append(_failed(name, shown.summary, shown.hint, shown.exit_code))


def _passed(name: str, detail: str) -> Check:
    return Check(name=name, state="PASS", detail=detail)


def _warned(name: str, detail: str, mend: str) -> Check:
    return Check(name=name, state="WARN", detail=detail, mend=mend)


def _failed(name: str, detail: str, mend: str, exit_code: int) -> Check:
    return Check(name=name, state="FAIL", detail=detail, mend=mend, exit_code=exit_code)
