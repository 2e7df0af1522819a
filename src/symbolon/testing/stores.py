# ruff: noqa: S101 - a suite of tests
"""What every store must do, as tests. The subclass supplies the fixture `store`: open, up to date and empty.

Invariant: a change is one transaction: a refused one leaves everything as it was.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import msgspec
import pytest

from symbolon.errors import SymbolonError, UnknownNameError
from symbolon.records import (
    Audience,
    AudienceType,
    AudienceVersion,
    Channel,
    DataSource,
    Encoding,
    Kind,
    OnAmbiguous,
    Origin,
    Protection,
    Receipt,
    Run,
    RunState,
)
from symbolon.store import NameTaken, SourceInUse, StoreConflict, StoreValueError, TableState
from symbolon.testing.stores_work import WorkRecordsConformance, at_once

if TYPE_CHECKING:
    from collections.abc import Callable

    from symbolon.store import Store

_NOW = dt.datetime(2026, 3, 29, 2, 30, 0, 123456, dt.UTC)


def full_source(name: str = "crm-email") -> DataSource:
    """Give a data source with every field set to something unusual."""
    return DataSource(
        name=name,
        kind=Kind.DECLARED,
        key="email",
        protection=Protection.AES_CBC,
        channel=Channel.EMAIL,
        dpid=2**40,
        priority=-3,
        encoding=Encoding.BASE64,
        iv_prefixed=True,
        scheme="other",
        region="FR",
        on_ambiguous=OnAmbiguous.REJECT,
        timestamp="seconds",
        terms="Ünïcode 'terms'\n\"two lines\"",
        terms_accepted_at=_NOW,
        terms_accepted_by="somebody",
        key_version=2,
        created=_NOW,
        modified=_NOW + dt.timedelta(seconds=1),
    )


class StoreConformance(WorkRecordsConformance):
    """Subclass it in a test module as `Test...` and give the fixture `store`."""

    @pytest.fixture
    def audience(self, store: Store) -> Audience:
        """An audience without a version."""
        source = store.add_source(DataSource(name="crm"))
        return store.add_audience(Audience(name="vip", type=AudienceType.SHARED, source_id=source.id, segment="100"))

    def test_sources_come_back(self, store: Store) -> None:
        """Every field survives, and each gets an id."""
        first, second = store.add_source(full_source()), store.add_source(DataSource(name="other"))
        assert first.id != second.id
        assert msgspec.structs.replace(first, id=0) == full_source()
        assert second.created is not None
        assert second.created.tzinfo is not None
        assert store.source("crm-email") == store.source_by_id(first.id) == first
        assert store.sources() == [first, second]

    def test_unknown_names_are_told_with_their_neighbours(self, store: Store) -> None:
        """Whoever mistypes a name is shown the right one."""
        store.add_source(DataSource(name="crm-email"))
        for ask in (store.source, store.delete_source):
            with pytest.raises(UnknownNameError, match="crm-email"):
                ask("crm-emial")
        for call in (
            lambda: store.audience("x"),
            lambda: store.delete_audience("x"),
            lambda: store.run("x"),
            lambda: store.source_by_id(99),
            lambda: store.version(99, 1),
            lambda: store.update_source(DataSource(id=99, name="x")),
            lambda: store.add_key(99, b"x"),
        ):
            with pytest.raises(UnknownNameError):
                call()

    def test_names_are_unique(self, store: Store, audience: Audience) -> None:
        """A second thing of one name is refused, also by renaming."""
        other = store.add_source(DataSource(name="other"))
        refused: list[Callable[[], object]] = [
            lambda: store.add_source(DataSource(name="other")),
            lambda: store.update_source(msgspec.structs.replace(other, name="crm")),
            lambda: store.add_audience(msgspec.structs.replace(audience, id=0)),
        ]
        for call in refused:
            with pytest.raises(NameTaken):
                call()
        assert [source.name for source in store.sources()] == ["crm", "other"]

    def test_one_of_many_takes_a_name(self, store: Store) -> None:
        """Of several that add one name at once, exactly one succeeds."""
        outcomes = at_once(8, lambda _: store.add_source(DataSource(name="a")))
        assert sum(isinstance(outcome, DataSource) for outcome in outcomes) == 1
        assert sum(isinstance(outcome, NameTaken) for outcome in outcomes) == 7
        assert len(store.sources()) == 1

    def test_names_sort_by_their_characters(self, store: Store) -> None:
        """Lists have one order everywhere, whatever language a database sorts by."""
        names = ["_x", "a b", "B", "a-b", "b", "ab", "Ä", "é", "10", "9"]
        for name in names:
            store.add_audience(Audience(name=name, type=AudienceType.LIST))
            store.set_state(name, TableState(lake_version=0, revision=0), None)
        assert [audience.name for audience in store.audiences()] == sorted(names)
        assert list(store.states()) == sorted(names)

    def test_a_record_that_refers_to_nothing(self, store: Store) -> None:
        """It is refused, and not taken for one whose name is taken."""
        with pytest.raises(StoreConflict):
            store.add_audience(Audience(name="x", type=AudienceType.SHARED, source_id=99))
        assert store.audiences() == []

    def test_what_does_not_fit_is_refused(self, store: Store, audience: Audience) -> None:
        """Texts and numbers have bounds, the same in every store; the message does not repeat them."""
        source = store.source("crm")
        version = _version(audience, 1)
        refused: list[Callable[[], object]] = [
            lambda: store.add_audience(msgspec.structs.replace(audience, id=0, name="canary" * 50)),
            lambda: store.add_source(msgspec.structs.replace(source, name="canary\0")),
            lambda: store.update_source(msgspec.structs.replace(source, terms="canary\ud800")),
            lambda: store.update_source(msgspec.structs.replace(source, priority=2**31)),
            lambda: store.publish(msgspec.structs.replace(version, members=2**63), base=0),
            lambda: store.start_run(Run.begin("audience import", "canary" * 50)),
            lambda: store.finish_run("x", RunState.FAILED, "canary" * 50),
            lambda: store.set_state("canary" * 50, TableState(lake_version=0, revision=0), None),
            lambda: store.set_state("x", TableState(lake_version=0, revision=2**63), None),
        ]
        for call in refused:
            with pytest.raises(StoreValueError) as caught:
                call()
            assert "canary" not in str(caught.value)
        assert store.sources() == [source]
        assert store.audiences() == [audience]
        assert (store.runs(), store.states()) == ([], {})

    def test_sources_change(self, store: Store) -> None:
        """An update replaces every field but the id."""
        before = store.add_source(DataSource(name="a"))
        after = msgspec.structs.replace(full_source("b"), id=before.id)
        store.update_source(after)
        assert store.sources() == [after]

    def test_ids_are_never_given_twice(self, store: Store) -> None:
        """Keys and tables are bound to ids, so a removed one stays unused."""
        first = store.add_source(DataSource(name="a"))
        store.delete_source("a")
        assert store.add_source(DataSource(name="a")).id != first.id
        audience = store.add_audience(Audience(name="x", type=AudienceType.LIST))
        store.delete_audience("x")
        assert store.add_audience(Audience(name="x", type=AudienceType.LIST)).id != audience.id

    def test_keys_have_versions(self, store: Store) -> None:
        """Old keys stay for reading; the newest comes first; they go with their source."""
        source, other = store.add_source(DataSource(name="a")), store.add_source(DataSource(name="b"))
        assert [store.add_key(source.id, wrapped) for wrapped in (b"\x00one", b"two")] == [1, 2]
        assert store.add_key(other.id, b"three") == 1
        assert store.keys(source.id) == [(2, b"two"), (1, b"\x00one")]
        store.delete_source("a")
        assert store.keys(source.id) == []

    def test_keys_added_at_once_have_versions_of_their_own(self, store: Store) -> None:
        """Nobody's key replaces or loses another's."""
        source = store.add_source(DataSource(name="a"))
        outcomes = at_once(8, lambda number: store.add_key(source.id, bytes([number])))
        versions = dict(store.keys(source.id))
        assert {version: bytes([number]) for number, version in enumerate(outcomes)} == versions
        assert sorted(versions) == list(range(1, 9))

    def test_a_source_with_audiences_stays(self, store: Store, audience: Audience) -> None:
        """Removing it would leave rows that nobody can explain."""
        with pytest.raises(SourceInUse):
            store.delete_source("crm")
        store.delete_audience(audience.name)
        store.delete_source("crm")
        assert store.sources() == []

    def test_publishing(self, store: Store, audience: Audience) -> None:
        """A version is added and the audience points to it."""
        first = _version(audience, 1)
        shown = store.publish(first, base=0)
        assert (shown.version, shown.members, shown.modified) == (1, 11, first.created)
        assert store.audience("vip") == shown
        second = msgspec.structs.replace(
            _version(audience, 2), rejects_version=3, file_timestamp=1_776_000_000_000, origin=Origin.ROLLBACK
        )
        store.publish(second, base=1)
        assert store.versions(audience.id) == [second, first]
        assert store.version(audience.id, 1) == first
        with pytest.raises(UnknownNameError):
            store.version(audience.id, 3)
        store.delete_audience("vip")
        assert store.versions(audience.id) == []

    def test_publishing_on_an_old_base(self, store: Store, audience: Audience) -> None:
        """Whoever started from a version that is not the newest is refused, and nothing changes."""
        store.publish(_version(audience, 1), base=0)
        for late in (_version(audience, 1), _version(audience, 2)):
            with pytest.raises(StoreConflict):
                store.publish(late, base=0)
        with pytest.raises(StoreConflict):
            store.publish(_version(audience, 1), base=1)
        assert len(store.versions(audience.id)) == 1
        assert store.audience("vip").version == 1
        store.delete_audience("vip")
        with pytest.raises(UnknownNameError):
            store.publish(_version(audience, 2), base=1)

    def test_one_of_many_publishes(self, store: Store, audience: Audience) -> None:
        """Of several that publish on one base at once, exactly one succeeds."""
        outcomes = at_once(8, lambda _: store.publish(_version(audience, 1), base=0))
        assert sum(not isinstance(outcome, StoreConflict) for outcome in outcomes) == 1
        assert len(store.versions(audience.id)) == 1

    def test_audiences_come_back(self, store: Store) -> None:
        """Every field survives."""
        full = Audience(
            name="Ünïcode 'x'",
            type=AudienceType.QUERY,
            dimension="",
            rule="city = 'Å' -- \n \"two lines\"",
            description="d" * 5000,
            workflow="news",
            expires=_NOW,
            counted=_NOW + dt.timedelta(seconds=1),
            members=3,
            created=_NOW,
            modified=_NOW,
        )
        added = store.add_audience(full)
        assert msgspec.structs.replace(added, id=0) == full
        assert store.audience(full.name) == added
        plain = store.add_audience(Audience(name="plain", type=AudienceType.LIST))
        assert store.audiences() == [plain, added]
        assert (plain.dimension, plain.rule, plain.expires, plain.counted) == ("profile", "", None, None)

    def test_audiences_change(self, store: Store, audience: Audience) -> None:
        """A person's changes do not touch the version; members change only with the moment they were counted."""
        shown = store.publish(_version(audience, 1), base=0)
        changed = msgspec.structs.replace(
            shown, name="new", type=AudienceType.LIST, rule="TRUE", description="ü", expires=_NOW, version=9, members=99
        )
        store.update_audience(changed)
        after = store.audience("new")
        assert after.modified is not None
        assert after.modified > _NOW
        kept = msgspec.structs.replace(changed, version=1, members=shown.members, modified=after.modified)
        assert after == kept
        store.update_audience(msgspec.structs.replace(after, members=99, counted=_NOW, expires=None))
        assert (store.audience("new").members, store.audience("new").expires) == (99, None)
        other = store.add_audience(Audience(name="other", type=AudienceType.LIST))
        with pytest.raises(NameTaken):
            store.update_audience(msgspec.structs.replace(other, name="new"))
        with pytest.raises(UnknownNameError):
            store.update_audience(msgspec.structs.replace(other, id=99))

    def test_publishing_changes_the_audience_with_it(self, store: Store, audience: Audience) -> None:
        """Type, dimension and rule change in the transaction that publishes, or not at all."""
        became = msgspec.structs.replace(audience, type=AudienceType.FILE, dimension="", workflow="news", expires=_NOW)
        shown = store.publish(_version(audience, 1), base=0, changed=became)
        assert (shown.type, shown.dimension, shown.workflow) == (AudienceType.FILE, "", "news")
        assert (shown.expires, shown.version, shown.members) == (_NOW, 1, 11)
        assert store.audience("vip") == shown
        with pytest.raises(StoreConflict):
            store.publish(_version(audience, 2), base=0, changed=msgspec.structs.replace(audience, rule="TRUE"))
        with pytest.raises(StoreConflict):
            store.publish(_version(audience, 1), base=1, changed=msgspec.structs.replace(audience, rule="TRUE"))
        assert store.audience("vip") == shown

    def test_publishing_while_it_is_deleted(self, store: Store, audience: Audience) -> None:
        """Either comes first; a version without its audience never stays."""

        def either(number: int) -> object:
            if number:
                return store.publish(_version(audience, 1), base=0)
            store.delete_audience(audience.name)
            return None

        for outcome in at_once(2, either):
            assert not isinstance(outcome, SymbolonError) or isinstance(outcome, UnknownNameError)
        assert store.audiences() == []
        assert store.versions(audience.id) == []

    def test_states_are_compared_and_set(self, store: Store) -> None:
        """A state is replaced only by who knows the one before."""
        assert store.state("profiles") is None
        first = TableState(lake_version=0, revision=1, facts={"count": 3, "columns": ["a", "ü"], "nested": {"x": None}})
        store.set_state("profiles", first, None)
        assert store.state("profiles") == first
        second = TableState(lake_version=4, revision=2)
        for expected in (None, 0, 2):
            with pytest.raises(StoreConflict):
                store.set_state("profiles", second, expected)
        with pytest.raises(StoreConflict):
            store.set_state("absent", second, 1)
        store.set_state("profiles", second, 1)
        store.set_state("links", first, None)
        assert store.states() == {"links": first, "profiles": second}
        store.delete_state("links")
        store.delete_state("links")
        assert list(store.states()) == ["profiles"]

    def test_one_of_many_sets_a_state(self, store: Store) -> None:
        """Of several that replace one state at once, exactly one succeeds."""
        store.set_state("x", TableState(lake_version=0, revision=0), None)
        outcomes = at_once(8, lambda n: store.set_state("x", TableState(lake_version=n, revision=1), 0))
        assert sum(outcome is None for outcome in outcomes) == 1
        assert all(outcome is None or isinstance(outcome, StoreConflict) for outcome in outcomes)

    def test_numbers_are_given_once(self, store: Store) -> None:
        """Blocks of numbers never overlap, whoever asks for them at once."""
        assert (store.next_ids("a", 10), store.next_ids("a", 1), store.next_ids("b", 1)) == (1, 11, 1)
        blocks = at_once(8, lambda n: [store.next_ids("c", n + 1) for _ in range(5)])
        assert all(isinstance(block, list) for block in blocks)
        given = [
            first + offset
            for number, block in enumerate(blocks)
            if isinstance(block, list)
            for first in block
            for offset in range(number + 1)
        ]
        assert sorted(given) == list(range(1, len(given) + 1))

    def test_it_is_up_to_date(self, store: Store) -> None:
        """A fresh store passes its own check."""
        store.check()
        assert store.schema_version
        assert store.faults() == []
        assert store.place

    def test_closing_twice(self, store: Store) -> None:
        """Closing again does nothing."""
        store.close()
        store.close()


def _version(audience: Audience, number: int) -> AudienceVersion:
    receipt = Receipt(
        audience=audience.name,
        version=number,
        files=["a.sync"],
        rejected={"malformed_id": 2},
        warnings=["ü"],
        seconds=0.5,
    )
    return AudienceVersion(
        audience_id=audience.id,
        version=number,
        origin=Origin.IMPORT,
        run_id="run",
        rows_version=number - 1,
        members=10 + number,
        receipt=receipt,
        content_digest="00ff",
        profiles_revision=7,
        created=_NOW + dt.timedelta(microseconds=number),
    )
