"""A context for one activity over a real project: real engine, profiles, settings and files.

Two parts stand in for what other rooms bring: `PlainRules` reads a few Python-like expressions instead of conditions in
SQL syntax, and `DictLibrary` keeps audiences in a dict.
"""

from __future__ import annotations

import ast
import atexit
import contextlib
import csv
import functools
import operator
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import ibis
import msgspec
import pyarrow as pa

import symbolon
from symbolon.errors import DefinitionError, UnknownNameError
from symbolon.records import Audience, AudienceType, DataSource, Kind, Receipt
from symbolon.targeting.activity import Mode
from symbolon.targeting.kinds import known
from symbolon.targeting.population import PROFILE, UNKNOWN, Population
from symbolon.targeting.publishing import Content, ExportReceipt, SaveMode, SaveRequest, ShareOutcome, ShareRequest
from symbolon.transports.transport import RemoteFile

NOW = datetime(2026, 7, 1, 8, 30, 15, tzinfo=UTC)
_OPERATORS = {
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.And: operator.and_,
    ast.Or: operator.or_,
    ast.Add: operator.add,
}


class PlainRules:
    """Stands in for conditions: `count > 1000 and country == 'FR'`, `upper(city)`."""

    def value(self, text: str, table: ibis.Table) -> Any:
        return self._read(ast.parse(text, mode="eval").body, table)

    def _read(self, node: ast.expr, table: ibis.Table) -> Any:
        if isinstance(node, ast.Constant):
            return ibis.literal(node.value)
        if isinstance(node, ast.Name):
            if node.id not in table.columns:
                raise UnknownNameError.among("column", node.id, table.columns)
            return table[node.id]
        if isinstance(node, ast.Call):
            assert isinstance(node.func, ast.Name)
            given = [self._read(one, table) for one in node.args]
            return getattr(given[0].cast("string"), node.func.id)(*given[1:])
        if isinstance(node, ast.Compare):
            return _OPERATORS[type(node.ops[0])](self._read(node.left, table), self._read(node.comparators[0], table))
        if isinstance(node, ast.BoolOp):
            parts = [self._read(one, table) for one in node.values]
            return parts[0] if len(parts) == 1 else _OPERATORS[type(node.op)](parts[0], parts[1])
        assert isinstance(node, ast.BinOp)
        return _OPERATORS[type(node.op)](self._read(node.left, table), self._read(node.right, table))


class DictLibrary:
    """Stands in for the audience library: rows in a dict, remembered by run so that nothing is saved twice."""

    def __init__(self, engine: Any) -> None:
        self.engine = engine
        self.audiences: dict[str, tuple[Audience, pa.Table]] = {}
        self.sources: dict[str, DataSource] = {}
        self.shared: dict[str, set[int]] = {}
        #: profile_id -> IDs; who is missing has none
        self.ids: dict[int, list[str]] = {}
        self.done: dict[str, Any] = {}
        self.requests: list[SaveRequest | ShareRequest] = []

    def audience(self, name: str) -> Audience:
        if name not in self.audiences:
            raise UnknownNameError.among("audience", name, self.audiences)
        return self.audiences[name][0]

    def source(self, name: str) -> DataSource:
        if name not in self.sources:
            raise UnknownNameError.among("data source", name, self.sources)
        return self.sources[name]

    def rows(self, name: str) -> ibis.Table:
        return self.engine.relation(self.audiences[name][1])

    def put(self, name: str, table: pa.Table, dimension: str = PROFILE) -> None:
        kind = AudienceType.LIST if dimension == PROFILE else AudienceType.FILE
        self.audiences[name] = (
            Audience(name=name, type=kind, dimension=dimension, version=1, members=table.num_rows),
            table,
        )

    def save(
        self, request: SaveRequest, relation: ibis.Table, *, dimension: str, directory: Path, plan: bool = False
    ) -> Receipt:
        assert directory.is_dir()
        self.requests.append(request)
        if request.run_id and request.run_id in self.done:
            return self.done[request.run_id]
        name = request.audience
        if request.mode is SaveMode.CREATE_UNIQUE:
            name = f"{name}_{len(self.audiences)}"
        before = self.audiences.get(name)
        if before is None and request.mode is SaveMode.UPDATE:
            raise UnknownNameError.among("audience", name, self.audiences)
        table = self.engine.fetch(relation, limit=None)
        if before is not None and request.content is Content.COMPLETE:
            if before[0].dimension != dimension:
                raise DefinitionError("incompatible")
            table = pa.concat_tables([before[1], table], promote_options="default")
        receipt = Receipt(audience=name, version=1, members=table.num_rows)
        if not plan:
            self.put(name, table, dimension)
            self.done[request.run_id] = receipt
        return receipt

    def share(self, request: ShareRequest, people: ibis.Table, *, directory: Path, plan: bool = False) -> ShareOutcome:
        assert directory.is_dir()
        self.requests.append(request)
        given = self.engine.fetch(people.select("profile_id"), limit=None)["profile_id"].to_pylist()
        have = sorted(one for one in given if one in self.ids)
        lack = sorted(one for one in given if one not in self.ids)
        receipt = ExportReceipt(
            audience=request.audience,
            source=request.source,
            segment=request.segment,
            population=len(given),
            shared=len(have),
            without_id={"no_id": len(lack)} if lack else {},
        )
        if not plan and request.run_id not in self.done:
            self.shared.setdefault(request.audience, set()).update(have)
            self.done[request.run_id] = receipt
        return ShareOutcome(
            receipt,
            self.engine.relation(pa.table({"profile_id": pa.array(have, pa.int64())})),
            self.engine.relation(_lacking(lack)),
        )

    def identified(self, source: str, people: ibis.Table, *, directory: Path) -> tuple[ibis.Table, ibis.Table]:
        assert directory.is_dir()
        self.source(source)
        given = self.engine.fetch(people, limit=None)
        pairs = [(one, name) for one in given["profile_id"].to_pylist() for name in self.ids.get(one, [])]
        ids = pa.table(
            {
                "profile_id": pa.array([one for one, _ in pairs], pa.int64()),
                "id": pa.array([name for _, name in pairs], pa.string()),
            }
        )
        have = people.inner_join(self.engine.relation(ids), "profile_id")
        lack = sorted(one for one in given["profile_id"].to_pylist() if one not in self.ids)
        extra = [name for name in people.columns if name != "profile_id"]
        return have.select("profile_id", "id", *extra), self.engine.relation(_lacking(lack))


def _lacking(people: list[int]) -> pa.Table:
    return pa.table(
        {"profile_id": pa.array(people, pa.int64()), "reason": pa.array(["no_id"] * len(people), pa.string())}
    )


class FolderTransport:
    """A transport in a folder of the test: whole files, by name."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.place = "folder"
        self.calls: list[tuple[str, str]] = []

    def list(
        self, prefix: str = "", pattern: str = "*", *, limit: int = 100_000, without: tuple[str, ...] = ()
    ) -> list[RemoteFile]:
        folder = self.root / prefix
        found = [path for path in folder.glob("*") if path.is_file() and path.match(pattern)] if folder.is_dir() else []
        return [self._file(path) for path in sorted(found) if not self._file(path).name.startswith(without)][:limit]

    def _file(self, path: Path) -> RemoteFile:
        facts = path.stat()
        return RemoteFile(
            name=path.relative_to(self.root).as_posix(),
            size_bytes=facts.st_size,
            modified=datetime.fromtimestamp(facts.st_mtime, UTC),
            fingerprint=f"{facts.st_size}-{facts.st_mtime_ns}",
        )

    def stat(self, name: str) -> RemoteFile | None:
        path = self.root / name
        return self._file(path) if path.is_file() else None

    def fetch(self, name: str, target: Path, *, expected: RemoteFile | None = None) -> RemoteFile:
        self.calls.append(("fetch", name))
        found = self.stat(name)
        assert found is not None
        assert expected is None or found.fingerprint == expected.fingerprint
        target.write_bytes((self.root / name).read_bytes())
        return found

    def put(self, source: Path, name: str, *, overwrite: bool = False, is_spare: bool = False) -> RemoteFile:
        self.calls.append(("put", name))
        path = self.root / name
        assert overwrite or not path.exists()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(source.read_bytes())
        return self._file(path)

    def delete(self, name: str) -> None:
        self.calls.append(("delete", name))
        (self.root / name).unlink(missing_ok=True)


class FlowContext:
    """The context of one activity. Faults, notes and warnings are kept to be looked at."""

    def __init__(
        self,
        project: Any,
        directory: Path,
        *,
        mode: Mode = Mode.RUN,
        inputs: Sequence[Population] = (),
        parameters: Mapping[str, Any] | None = None,
        library: Any = None,
        transports: Mapping[str, Any] | None = None,
        signal: dict[str, Any] | None = None,
        run_id: str = "run-1",
        now: datetime = NOW,
        activity: str = "step",
        kept: dict[str, pa.Table] | None = None,
    ) -> None:
        self.mode, self.run_id, self.now = mode, run_id if mode is Mode.RUN else "", now
        self.activity, self.workflow, self.seed = activity, "flow", 7
        self.inputs, self.parameters = list(inputs), dict(parameters or {})
        self.parameter_types = dict.fromkeys(self.parameters, "text")
        self.has_input = bool(self.inputs)
        self.engine, self.profiles, self.settings = project.engine, project.profiles, project.settings
        self.library = library or DictLibrary(project.engine)
        self.directory = directory
        self.faults: list[tuple[str, str, str]] = []
        self.facts: dict[str, Any] = {}
        self.warnings: list[str] = []
        self.waited: list[datetime] = []
        self.topics: list[tuple[str, float | None]] = []
        self._transports = transports or {}
        self._signal = signal
        self._rules = PlainRules()
        #: what `keep` keeps over a crash: shared by the contexts of one run
        self._kept = {} if kept is None else kept

    @property
    def paths(self) -> list[str]:
        return [path for path, _, _ in self.faults]

    def people(self) -> ibis.Table:
        return self.profiles.current()

    def condition(self, text: str, table: ibis.Table, path: str) -> ibis.Table:
        value = self._value(text, table, path)
        return table if value is None else table.filter(value)

    def expression(self, text: str, table: ibis.Table, path: str) -> ibis.Value:
        value = self._value(text, table, path)
        return ibis.null("string") if value is None else value

    def ordering(self, text: str, table: ibis.Table, path: str) -> list[ibis.Value]:
        return [self.expression(part.strip(), table, path) for part in text.split(",")]

    def _value(self, text: str, table: ibis.Table, path: str) -> Any:
        try:
            return self._rules.value(text, table)
        except (UnknownNameError, SyntaxError) as error:
            self.fault(path, str(error), "")
            return None

    def audience(self, name: str, path: str) -> Population:
        del path
        return Population(self.library.rows(name), self.library.audience(name).dimension)

    def text(self, template: str, path: str) -> str:
        def filled(found: re.Match[str]) -> str:
            if found[1] not in self.parameters:
                self.fault(path, f"there is no parameter `{found[1]}`")
            return str(self.parameters.get(found[1], ""))

        return re.sub(r"\$\{([^{}]*)\}", filled, template)

    def keep(self, relation: ibis.Table, name: str) -> ibis.Table:
        if self.mode is Mode.CHECK:
            return relation
        if name not in self._kept:
            self._kept[name] = self.engine.fetch(relation, limit=None)
        return self.engine.relation(self._kept[name])

    def remembered(self, schema: pa.Schema) -> ibis.Table:
        return self.engine.scan([], schema)

    def remember(self, relation: ibis.Table) -> None:
        self.memory = relation

    def count(self, relation: ibis.Table) -> int:
        return 0 if self.mode is Mode.CHECK else self.engine.count(relation)

    def open_transport(self, name: str) -> Any:
        if name not in self._transports:
            raise UnknownNameError.among("transport", name, self._transports)
        return self._transports[name]

    def is_transport(self, name: str) -> bool:
        return name in self._transports

    def wait_until(self, moment: datetime) -> None:
        if self.mode is Mode.RUN:
            self.waited.append(moment)

    def receive(self, topic: str, timeout_s: float | None = None) -> dict[str, Any] | None:
        self.topics.append((topic, timeout_s))
        return self._signal if self.mode is Mode.RUN else None

    def note(self, **facts: Any) -> None:
        msgspec.json.encode(facts)  # small JSON-able values, nothing else
        self.facts.update(facts)

    def warn(self, text: str) -> None:
        self.warnings.append(text)

    def fault(self, path: str, message: str, hint: str = "", *, line: int = 0, column: int = 0) -> None:
        del line, column
        assert message
        self.faults.append((path, message, hint))


def options(kind: str, **values: Any) -> Any:
    """Read options as a definition does."""
    return msgspec.convert(values, known()[kind].options)


def apply(kind: str, context: FlowContext, **values: Any) -> dict[str, Population | None]:
    """Do an activity. What comes back is among the outputs it names."""
    chosen = options(kind, **values)
    outcome = known()[kind].apply(chosen, context)
    assert set(outcome) <= set(known()[kind].outputs(chosen))
    return outcome


def fetch(context: FlowContext, population: Population | None) -> list[dict[str, Any]]:
    """Give the rows of a population."""
    assert population is not None
    return context.engine.fetch(population.relation, limit=None).to_pylist()


def visitor_source(name: str = "web") -> DataSource:
    return DataSource(name=name, kind=Kind.VISITOR)


#: external_id, email, mobile phone, city, do not share; P1 to P3 of the reference and some who are hard to tell apart
PEOPLE = [
    ("C1", "johndoe@example.com", "+33612345678", "Paris", False),
    ("C2", "hayden.smith@example.com", "+33612345679", "Lyon", False),
    ("C3", "Mixed@Example.com", "", "Nice", False),
    ("C4", "shared@example.org", "", "Paris", False),
    ("C5", " Shared@example.org", "", "Lyon", False),
    ("C6", "private@example.net", "+33612345680", "", True),
    ("C7", "", "", "Paris", False),
]


@functools.cache
def _template() -> Path:
    """Make a project with people once; it is copied for each test."""
    folder = Path(tempfile.mkdtemp(prefix="flow-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    listed = folder / "people.csv"
    with listed.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["external_id", "email", "mobile_phone", "city", "do_not_share"])
        writer.writerows(PEOPLE)
    with symbolon.init(folder / "project") as project:
        project.profiles.import_file(listed)
    return folder / "project"


class Flow:
    """A project of its own, and contexts in it."""

    def __init__(self, project: Any, attempts: Iterator[Path]) -> None:
        self.project = project
        self.library = DictLibrary(project.engine)
        self._attempts = attempts

    @property
    def inbox(self) -> Path:
        return self.project.settings.project / "inbox"

    @property
    def outbox(self) -> Path:
        return self.project.settings.project / "outbox"

    def context(self, mode: Mode = Mode.RUN, **values: Any) -> FlowContext:
        return FlowContext(self.project, next(self._attempts), mode=mode, **{"library": self.library, **values})

    def check(self, **values: Any) -> FlowContext:
        return self.context(Mode.CHECK, **values)

    def plan(self, **values: Any) -> FlowContext:
        return self.context(Mode.PLAN, **values)

    def rows(self, table: pa.Table, dimension: str = UNKNOWN) -> Population:
        return Population(self.project.engine.relation(table), dimension)

    def people(self, *columns: str) -> Population:
        return Population(self.project.profiles.current().select("profile_id", *columns))

    def profiles(self) -> dict[str, dict[str, Any]]:
        """Give all profiles by their external ID, or by their address where they have none."""
        rows = self.project.engine.fetch(self.project.profiles.current(), limit=None).to_pylist()
        return {one["external_id"] or one["email"] or one["mobile_phone"]: one for one in rows}

    def id_of(self, external_id: str) -> int:
        return self.profiles()[external_id]["profile_id"]


@contextlib.contextmanager
def opened(folder: Path) -> Iterator[Flow]:
    """Open a copy of the project with people in a folder."""
    shutil.copytree(_template(), folder / "project")
    with symbolon.open(folder / "project") as project, contextlib.ExitStack() as attempts:
        yield Flow(project, iter(lambda: attempts.enter_context(project.lake.attempt("step")), None))
