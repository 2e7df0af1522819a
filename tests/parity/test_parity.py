"""DuckDB and Spark give the same rows for every definition of the project, on values made to part them.

Whatever asks an engine for rows in the code must be reached by a scenario here, or stand in `NEVER` with its reason.
"""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ibis
import parity_hostile as hostile
import pyarrow as pa
import pytest
from parity_callsites import call_sites, unreached
from parity_scenario import Scenario
from parity_workflows import run_all

import symbolon
from symbolon import ids
from symbolon.errors import UnknownNameError
from symbolon.lake.duckdb import DuckDbEngine
from symbolon.lake.spark import SparkEngine
from symbolon.profiles import digests
from symbolon.testing import BothEngines, EnginesDiffer

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.usefixtures("warm_spark"), pytest.mark.spark]

#: part of `file:line (what)` -> why no scenario reaches it
NEVER: dict[str, str] = {}


def _some(*daily: str, slow: tuple[str, ...]) -> list[Any]:
    """Give sources: the daily ones reach every place, the others reach the same ones with other IDs."""
    return [*daily, *(pytest.param(one, marks=pytest.mark.slow) for one in slow)]


_REACHED: set[tuple[str, int]] = set()


@contextmanager
def _opened(folder: Path, files: Path, *, in_process: bool = True) -> Iterator[Scenario]:
    """A project on both engines."""
    root = folder / "lake"
    both = BothEngines(DuckDbEngine(root), SparkEngine(root, "local[2]"), root / "tmp", in_process=in_process)
    with both, symbolon.open(folder) as project:
        project.__dict__["engine"] = both
        yield Scenario(project, files)
    _REACHED.update(both.reached)
    assert both.compared


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, warm_spark: None) -> Path:
    """A shop with hostile people, made on both engines; tests work on copies."""
    folder = tmp_path_factory.mktemp("parity")
    symbolon.init(folder / "shop").close()
    with _opened(folder / "shop", folder) as scenario:
        scenario.people()
        scenario.sources()
    return folder / "shop"


@pytest.fixture
def copied(shop: Path, tmp_path: Path) -> Path:
    shutil.copytree(shop, tmp_path / "shop")
    return tmp_path / "shop"


@pytest.mark.parametrize("source", _some("sha1", "visitor", slow=("plain", "aes", "md5", "sha512")))
def test_audiences(copied: Path, tmp_path: Path, source: str) -> None:
    with _opened(copied, tmp_path) as scenario:
        scenario.audience(source)


def test_addresses(copied: Path, tmp_path: Path) -> None:
    with _opened(copied, tmp_path) as scenario:
        scenario.addresses()


@pytest.mark.parametrize("source", _some("sha256", "aes", slow=("visitor",)))
def test_exports(copied: Path, tmp_path: Path, source: str) -> None:
    with _opened(copied, tmp_path) as scenario:
        scenario.exports(source)


def test_saves(copied: Path, tmp_path: Path) -> None:
    with _opened(copied, tmp_path) as scenario:
        scenario.saves()


def test_workflows(copied: Path, tmp_path: Path) -> None:
    with _opened(copied, tmp_path) as scenario:
        run_all(scenario.project)


def test_everything_else(copied: Path, tmp_path: Path) -> None:
    with _opened(copied, tmp_path) as scenario:
        scenario.rest()


def test_digests_made_on_the_engine(copied: Path, tmp_path: Path) -> None:
    with _opened(copied, tmp_path, in_process=False) as scenario:
        scenario.digests_anew()
        scenario.interrupted()


def test_every_place_is_reached(request: pytest.FixtureRequest) -> None:
    """Runs last: tests/parity/conftest.py sees to it."""
    others = [item for item in request.session.items if item.module is request.module]
    if len({item.originalname for item in others}) < len([name for name in globals() if name.startswith("test_")]):
        pytest.skip("only a part of the scenarios ran")
    missing = [place for place in unreached(_REACHED) if not any(part in place for part in NEVER)]
    assert not missing, "no scenario reaches these: add them to parity_scenario.py"


@pytest.fixture
def both(tmp_path: Path) -> Iterator[BothEngines]:
    root = tmp_path / "lake"
    with BothEngines(DuckDbEngine(root), SparkEngine(root, "local[2]"), root / "tmp") as engine:
        yield engine


@pytest.mark.parametrize("field", ["email", "mobile_phone", "external_id"])
@pytest.mark.parametrize("in_process", [True, False])
def test_digests_of_hostile_values(both: BothEngines, tmp_path: Path, field: str, in_process: bool) -> None:
    both.in_process = in_process
    values = [*hostile.emails(), *hostile.some_texts(3000, seed=7)]
    if field == "mobile_phone":
        values = [f"+3361234{n:04d}{end}" for n, end in enumerate(["", " ", "\n", "\r", "\v", "f", "0" * 9] * 3)]
    rows = both.relation(pa.table({"profile_id": range(len(values)), field: pa.array(values, pa.string())}))
    done = set()
    for scheme in ids.schemes():
        kind = ids.field_for(field)
        try:
            way = (ids.simple_pattern(scheme, kind), ids.simple_form(scheme, kind))
        except UnknownNameError:  # a party need not have a rule for every field
            continue
        if way in done:
            continue
        done.add(way)
        for seq in (0, 3):
            key = digests.Key(field, scheme, "FR", "sha256")
            built = digests.build(both, rows, key, tmp_path / "lake" / "tmp" / f"{scheme}-{seq}", seq=seq)
            assert sum(file.rows for file in built.files)
    assert done


def test_a_difference_is_told(both: BothEngines) -> None:
    """The suite can fail: Ibis's own `strip` is one that parts the engines."""
    rows = both.relation(pa.table({"text": ["fovea.f", "vv"]}))
    with pytest.raises(EnginesDiffer, match=r"ovea\."):
        both.fetch(rows.select(text=rows.text.strip()))
    with pytest.raises(EnginesDiffer):
        both.count(rows.filter(rows.text.strip() == "vv"))
    assert both.count(rows.filter(ibis._.text == "vv")) == 1


def test_every_place_is_found() -> None:
    """The search for places sees what is there."""
    files = {Path(file).name for file, _ in call_sites()}
    assert {"upsert.py", "digests.py", "publishing.py", "reading.py", "layered.py", "explain.py"} <= files
