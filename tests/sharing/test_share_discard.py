"""A delivery whose place never comes back is given up; the next makes the other side right, whatever had arrived."""

from __future__ import annotations

import shutil

import pytest
from receiving_side import Receiver, out, share

import symbolon
from symbolon.errors import TransportError, UnknownNameError
from symbolon.records import DataSource, Protection, RunState
from symbolon.sharing.errors import DeliveryPending, NothingPending
from symbolon.transports import TransportUnreachable
from symbolon.transports.local import LocalTransport

RUN = "20260131T101500000000-1a2b3c/share"
BEFORE, PENDING, WANTED = [1, 2, 3], [2, 10, 11], [3, 10, 12]


@pytest.fixture(params=["sha256", "aes-cbc"], scope="module")
def shared_folder(request, people_folder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("discard") / "project"
    shutil.copytree(people_folder, folder)
    protection = Protection(request.param)
    with symbolon.open(folder) as project:
        encrypted = protection is Protection.AES_CBC
        source = DataSource(name="crm", key="email", protection=protection, iv_prefixed=encrypted, dpid=33)
        project.sources.add(source, **({"key": bytes(16)} if encrypted else {}))
        share(project, BEFORE, mode="sync")
    return folder


@pytest.fixture
def project(shared_folder, tmp_path):
    shutil.copytree(shared_folder, tmp_path / "project")
    with symbolon.open(tmp_path / "project") as opened:
        yield opened


def broken_off(project, monkeypatch, arrive: int, mode: str, numbers=PENDING) -> None:
    """Begin a delivery of which only some files arrive, and say of none whether it did."""
    put, calls = LocalTransport.put, []

    def breaking(transport, source, name, **options):
        calls.append(name)
        if len(calls) <= arrive:
            put(transport, source, name, **options)
        if len(calls) >= arrive:
            raise TransportUnreachable("gone")

    def silent(transport, name):
        if calls:
            raise TransportUnreachable("gone")

    with monkeypatch.context() as patch:
        patch.setattr(LocalTransport, "put", breaking)
        patch.setattr(LocalTransport, "stat", silent)
        with pytest.raises(TransportError):
            share(project, numbers, mode=mode, run_id=RUN, force=True)


def ids_of(project, numbers) -> set[str]:
    """The IDs of people as the share has them."""
    standing = project.store.state("shares/1").facts
    table = project.lake.table("shares/1/rows")
    rows = project.engine.scan(table.files(standing["rows"]), table.schema(standing["rows"]))
    people = project.profiles.current()
    names = people.filter(people.external_id.isin([f"C{number}" for number in numbers])).select("profile_id")
    some = project.engine.fetch(rows.semi_join(names, "profile_id")).to_pylist()
    if some and "id" in some[0]:
        return {row["id"] for row in some}
    words = [name for name in some[0] if name.startswith("d") and name[1:].isdigit()]
    return {"".join(f"{row[name] & (1 << 64) - 1:016x}" for name in words) for row in some}


@pytest.mark.parametrize(
    ("mode", "arrive", "afterwards"),
    [
        ("add", 0, "sync"),
        ("add", 1, "replace"),
        ("sync", 0, "replace"),
        ("sync", 1, "sync"),
        ("replace", 0, "sync"),
        ("replace", 1, "sync"),
        ("replace", 2, "replace"),
    ],
)
def test_the_next_delivery_makes_it_right(project, monkeypatch, mode, arrive, afterwards) -> None:
    side = Receiver(out(project))
    side.read()
    broken_off(project, monkeypatch, arrive, mode)
    may_have = side.read()
    stands = project.shares.discard("s")
    assert stands.pending is None
    assert stands.version == 1
    # whatever the other side has is known, so that it can be taken away
    assert may_have <= ids_of(project, [*BEFORE, *PENDING])
    assert stands.ids == 5
    assert stands.unsure == (2 if mode == "add" else 4)
    assert project.store.run(RUN).state is RunState.STOPPED
    receipt, *_ = share(project, WANTED, mode=afterwards, force=True)
    assert any("given up" in text for text in receipt.warnings)
    assert side.read() == ids_of(project, WANTED)
    assert len(side.read()) == len(WANTED)
    after = project.shares.show("s")
    assert (after.version, after.ids, after.unsure) == (2, 3, 0)
    receipt, *_ = share(project, WANTED, mode="sync")
    assert (receipt.unchanged, receipt.warnings) == (True, [])


@pytest.mark.parametrize("arrive", [0, 1])
def test_add_sends_the_unsure_again_and_keeps_the_others_in_mind(project, monkeypatch, arrive) -> None:
    side = Receiver(out(project))
    side.read()
    broken_off(project, monkeypatch, arrive, "sync")
    project.shares.discard("s")
    receipt, *_ = share(project, WANTED, mode="add")
    assert receipt.added == 3  # 3 and 10 are unsure, 12 is new
    assert ids_of(project, WANTED) <= side.read()
    stands = project.shares.show("s")
    assert (stands.ids, stands.unsure) == (6, 2)  # 1 and 11 stay unsure
    assert share(project, WANTED, mode="sync")[0].removed == 3
    assert side.read() == ids_of(project, WANTED)
    assert project.shares.show("s").unsure == 0


def test_a_second_delivery_given_up_forgets_nothing_either(project, monkeypatch) -> None:
    side = Receiver(out(project))
    side.read()
    broken_off(project, monkeypatch, 1, "sync")
    project.shares.discard("s")
    broken_off(project, monkeypatch, 0, "sync", [4, 5, 1])
    project.shares.discard("s")
    share(project, WANTED, mode="sync", force=True)
    assert side.read() == ids_of(project, WANTED)


def test_a_first_delivery_given_up(project, monkeypatch) -> None:
    put = LocalTransport.put

    def broken(transport, source, name, **options):
        put(transport, source, name, **options)
        raise TransportUnreachable("gone")

    with monkeypatch.context() as patch:
        patch.setattr(LocalTransport, "put", broken)
        with pytest.raises(TransportError):
            share(project, [1, 2], mode="sync", audience="t", segment="25")
    stands = project.shares.discard("t")
    assert (stands.version, stands.ids, stands.unsure) == (0, 2, 2)
    receipt, *_ = share(project, [2, 3], mode="sync", audience="t", segment="25")
    assert (receipt.added, receipt.removed, receipt.kept) == (2, 1, 0)


def test_a_place_that_does_not_come_back_is_told_with_the_way_out(project, monkeypatch) -> None:
    broken_off(project, monkeypatch, 1, "sync")

    def gone(*_given, **_options):
        raise TransportUnreachable("nobody answers")

    with monkeypatch.context() as patch:
        patch.setattr(LocalTransport, "put", gone)
        with pytest.raises(DeliveryPending) as caught:
            share(project, WANTED, mode="sync")
    assert "symbolon share discard s" in caught.value.hint
    assert project.shares.show("s").pending is not None


def test_nothing_waits_and_nothing_is_known(project) -> None:
    with pytest.raises(NothingPending):
        project.shares.discard("s")
    with pytest.raises(UnknownNameError):
        project.shares.discard("nobody")
    assert [one.name for one in project.shares.list()] == ["s"]
