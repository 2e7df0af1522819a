"""Transfer file: whole files in and out, nothing outside inbox and outbox, and going on after a crash."""

from __future__ import annotations

from pathlib import Path

import pytest
from flow_context import FolderTransport, apply, opened

from symbolon.errors import UnknownNameError
from symbolon.files import FileMissing
from symbolon.targeting.activities._errors import PathRefused
from symbolon.transports.transport import RemoteFile


@pytest.fixture
def flow(tmp_path):
    with opened(tmp_path) as flow:
        yield flow


@pytest.fixture
def far(tmp_path) -> FolderTransport:
    root = tmp_path / "far"
    (root / "in").mkdir(parents=True)
    for name in ("a.csv", "b.csv", "c.txt"):
        (root / "in" / name).write_text(name)
    return FolderTransport(root)


def transfer(flow, far, mode="context", kept=None, **values):
    context = getattr(flow, mode)(transports={"far": far}, parameters={"day": "a"}, kept=kept)
    outcome = apply("transfer_file", context, transport="far", **values)
    return context, outcome


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_files_are_fetched_and_their_sources_removed(flow, far) -> None:
    context, outcome = transfer(flow, far, action="download", file="in/*.csv", to="orders", delete_source=True)
    assert outcome == {"result": None}
    assert files(flow.inbox) == ["orders/a.csv", "orders/b.csv"]
    assert files(far.root) == ["in/c.txt"]
    assert context.facts == {"fileName": "in/b.csv", "filesCount": 2, "bytes": 10, "files": ["in/a.csv", "in/b.csv"]}
    assert not context.faults


def test_files_are_sent(flow, far) -> None:
    (flow.outbox / "x_1.csv").write_text("x")
    (flow.outbox / ".x_2.csv.part").write_text("half")
    for _ in range(2):
        transfer(flow, far, action="upload", file="x_*", to="out")
    assert (far.root / "out" / "x_1.csv").read_text() == "x"
    assert files(flow.outbox) == [".x_2.csv.part", "x_1.csv"]
    transfer(flow, far, action="upload", file="x_1.csv", delete_source=True)
    assert files(flow.outbox) == [".x_2.csv.part"]
    assert (far.root / "x_1.csv").is_file()


def test_files_are_found_listed_and_removed(flow, far) -> None:
    assert transfer(flow, far, action="exists", file="in/${day}.csv")[1] == {"result": None}
    assert transfer(flow, far, action="exists", file="in/z*.csv")[1] == {"missing": None}
    context, _ = transfer(flow, far, action="list", file="in/*")
    assert (context.facts["filesCount"], context.facts["fileName"]) == (3, "in/c.txt")
    transfer(flow, far, action="delete", file="in/a.csv")
    assert files(far.root) == ["in/b.csv", "in/c.txt"]


def test_a_plan_moves_nothing(flow, far) -> None:
    context, _ = transfer(flow, far, "plan", action="download", file="in/*.csv", delete_source=True)
    assert context.facts["filesCount"] == 2
    assert files(flow.inbox) == []
    transfer(flow, far, "plan", action="delete", file="in/*")
    assert len(files(far.root)) == 3
    assert far.calls == []


@pytest.mark.parametrize("after", range(1, 5))
def test_a_transfer_that_broke_off_is_gone_on_with(flow, far, after: int) -> None:
    """Die at each call of the transport, then do it again: the same files, and none twice."""

    class Dying(FolderTransport):
        def _count(self) -> None:
            if len(self.calls) >= after:
                raise KeyboardInterrupt

        def fetch(self, name, target, *, expected=None):
            self._count()
            return super().fetch(name, target, expected=expected)

        def delete(self, name) -> None:
            super().delete(name)
            self._count()

    kept: dict[str, object] = {}
    try:
        transfer(flow, Dying(far.root), kept=kept, action="download", file="in/*.csv", delete_source=True)
    except KeyboardInterrupt:
        # a file that came after the first attempt is not meant
        (far.root / "in" / "later.csv").write_text("later")
        context, _ = transfer(flow, far, kept=kept, action="download", file="in/*.csv", delete_source=True)
        assert context.facts["filesCount"] == 2
        (far.root / "in" / "later.csv").unlink()
    assert files(flow.inbox) == ["a.csv", "b.csv"]
    assert files(far.root) == ["in/c.txt"]
    assert (flow.inbox / "b.csv").read_text() == "b.csv"


def test_no_file_is_a_fault_only_if_asked(flow, far) -> None:
    context, outcome = transfer(flow, far, action="download", file="in/none.csv")
    assert (outcome, context.facts["filesCount"]) == ({"result": None}, 0)
    with pytest.raises(FileMissing):
        transfer(flow, far, action="download", file="in/none.csv", missing="fail")


def test_a_name_that_the_other_side_gives_is_not_trusted(flow, far) -> None:
    class Hostile(FolderTransport):
        def list(self, prefix="", pattern="*", *, limit=100_000, without=()):
            one = super().list(prefix, pattern)[0]
            return [RemoteFile(name="../../evil.csv", size_bytes=1, modified=one.modified, fingerprint="x")]

    with pytest.raises(PathRefused):
        transfer(flow, Hostile(far.root), action="download", file="in/*")
    assert files(flow.inbox) == []


def test_links_do_not_lead_out(flow, far, tmp_path) -> None:
    (tmp_path / "secret.csv").write_text("secret")
    (flow.outbox / "x.csv").symlink_to(tmp_path / "secret.csv")
    (flow.outbox / "deep").symlink_to(tmp_path)
    (flow.inbox / "deep").symlink_to(tmp_path)
    for values in (
        {"action": "upload", "file": "x.csv"},
        {"action": "upload", "file": "deep/secret.csv"},
        {"action": "download", "file": "in/a.csv", "to": "deep"},
        {"action": "download", "file": "in/../../secret.csv"},
        {"action": "download", "file": "in/a.csv", "to": "../lake"},
    ):
        with pytest.raises(PathRefused):
            transfer(flow, far, **values)
    context, _ = transfer(flow, far, action="upload", file="*")
    assert context.facts["filesCount"] == 0
    assert (tmp_path / "secret.csv").read_text() == "secret"


@pytest.mark.parametrize(
    ("values", "paths"),
    [
        ({"action": "list", "file": "../x"}, ["file"]),
        ({"action": "list", "file": "*/x"}, ["file"]),
        ({"action": "list", "file": "x", "to": "y"}, ["to"]),
        ({"action": "download", "file": "x", "to": "/y"}, ["to"]),
        ({"action": "download", "file": "x", "to": "y*"}, ["to"]),
        ({"action": "exists", "file": "x", "delete_source": True}, ["delete_source"]),
        ({"action": "list", "file": "x", "transport": ""}, ["transport"]),
        ({"action": "list", "file": "x", "transport": "../far"}, ["transport"]),
    ],
)
def test_every_fault_is_told(flow, values: dict[str, object], paths: list[str]) -> None:
    context = flow.check()
    outcome = apply("transfer_file", context, **{"transport": "far", **values})
    assert context.paths == paths
    assert "result" in outcome


def test_an_unknown_transport_is_told(flow, far) -> None:
    with pytest.raises(UnknownNameError, match="near"):
        apply("transfer_file", flow.context(transports={"far": far}), action="list", transport="near", file="*")
