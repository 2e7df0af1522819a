"""Everything a project does with rows, once, on the engine it is given, which compares what it is asked for."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch

import parity_hostile as hostile
import pyarrow as pa
import pytest

import symbolon
from symbolon.records import Channel, DataSource, Kind, OnAmbiguous, Protection
from symbolon.sharing import identifying
from symbolon.sharing.sending import Sending
from symbolon.store import StoreFailed
from symbolon.targeting import Content, SaveRequest, ShareMode, ShareRequest
from symbolon.targeting.population import Population
from symbolon.transports import TransportUnreachable

if TYPE_CHECKING:
    from symbolon.sharing.exporting import Exporter


class Scenario:
    """A project on an engine, and a folder for its files."""

    def __init__(self, project: symbolon.Project, folder: Path) -> None:
        self.project = project
        self.folder = folder

    def people(self) -> None:
        """Profiles come, change, come by address, are looked at; links come and change."""
        profiles = self.project.profiles
        profiles.import_file(hostile.write(self.folder, "people", hostile.people()))
        profiles.link_file(hostile.write(self.folder, "links", hostile.links()))
        for field, algorithm in (("email", "sha256"), ("mobile_phone", "md5"), ("external_id", "sha512")):
            profiles.index(field, "adobe", "FR", algorithm)
        profiles.import_file(hostile.write(self.folder, "small", hostile.changed().slice(0, 3)))
        profiles.import_file(hostile.write(self.folder, "changed", hostile.changed()))
        profiles.import_file(hostile.write(self.folder, "planned", hostile.changed()), plan=True)
        profiles.import_file(hostile.write(self.folder, "by_email", hostile.by_email()), key="email")
        profiles.link_file(hostile.write(self.folder, "later", hostile.later_links()))
        list(profiles.rejects())
        profiles.show("C0001")
        profiles.show("fovea.f@example.com", "email")
        profiles.some(10)
        list(profiles.batches())

    def sources(self) -> None:
        """One data source of each kind, two rules for several profiles of one ID."""
        sources = self.project.sources
        for dpid, protection in enumerate(("md5", "sha1", "sha256", "sha512", "plain"), 1):
            rule = OnAmbiguous.REJECT if protection == "sha1" else OnAmbiguous.ALL
            kind = Protection(protection)
            sources.add(DataSource(name=protection, key="email", protection=kind, on_ambiguous=rule, dpid=dpid))
        sources.add(DataSource(name="visitor", kind=Kind.VISITOR, dpid=77))
        sources.add(
            DataSource(name="aes", key="email", protection=Protection.AES_CBC, channel=Channel.EMAIL, dpid=78),
            key=hostile.KEY,
            iv=hostile.IV,
        )

    def digests_anew(self) -> None:
        """The digests of a field again, and of those who changed."""
        profiles = self.project.profiles
        for field, algorithm in (("email", "sha256"), ("mobile_phone", "md5"), ("external_id", "sha512")):
            profiles.index(field, "adobe", "US", algorithm)
        profiles.import_file(hostile.write(self.folder, "again", hostile.people().slice(0, 40)))

    def interrupted(self) -> None:
        """An import of profiles ends between the lake and the store; the next one brings the table back first."""
        changed = hostile.write(self.folder, "interrupted", hostile.people().slice(40, 40))
        with patch.object(self.project.store, "set_state", side_effect=StoreFailed("gone")), suppress(StoreFailed):
            self.project.profiles.import_file(changed)
        self.project.profiles.import_file(hostile.write(self.folder, "after", hostile.people().slice(60, 10)))

    def audience(self, source: str) -> None:
        """A full file, an incremental one, and everything that is read of an audience."""
        audiences, name = self.project.audiences, f"a-{source}"
        if source == "visitor":
            ids = [f"{number:038d}".encode() for number in range(120)]
        else:
            ids = hostile.wire(source.replace("aes", "aes-cbc"))
        half = len(ids) // 2
        full = hostile.segment_file(self.folder, f"{source}_1_2_full_1486140844000.sync", ids[: half + 20])
        audiences.import_file(full, source=source, segment="24", name=name)
        later = hostile.segment_file(
            self.folder, f"{source}_1_2_iter_1486140844001.sync", ids[half:], removed=tuple(ids[:9])
        )
        audiences.import_file(later, source=source, segment="24", name=name, plan=True)
        audiences.import_file(later, source=source, segment="24", name=name)
        audiences.members(name).to_arrow()
        audiences.members(name, version=1).to_arrow()
        audiences.rejects(name).to_arrow()
        audiences.rejects(name, unmatched=True).to_arrow()
        audiences.diff(name, 1, 2).to_arrow()

    def addresses(self) -> None:
        """A File audience of decrypted addresses, and the List made of it."""
        audiences = self.project.audiences
        ids = hostile.wire("aes-cbc")
        file = hostile.segment_file(self.folder, "file_1_2_full_1486140844000.sync", ids)
        audiences.import_file(file, source="aes", segment="24", name="f", force_reconciliation=False)
        again = hostile.segment_file(self.folder, "file_1_2_full_1486140844002.sync", ids[5:])
        audiences.import_file(again, source="aes", segment="24", name="f", force_reconciliation=False)
        audiences.members("f").to_arrow()
        audiences.diff("f").to_arrow()
        audiences.refresh("f")
        audiences.rollback("f", 1)
        audiences.reconcile("f", key="email", plan=True)
        audiences.reconcile("f", key="email", create_profiles=True)
        audiences.reconcile("f", key="email")
        audiences.members("f-profiles").to_arrow()

    def exports(self, source: str) -> None:
        """Everybody is shared, then some with each mode; somebody opts out in between."""
        profiles, exporter = self.project.profiles, self.project.audiences.exporter
        refused = self.folder / "refused.csv"
        refused.write_text("external_id,do_not_share,opt_out_email\nC0002,true,\nC0003,,true\n")
        for number, mode in enumerate(("sync", "add", "replace")):
            people = profiles.current()
            some = people.filter(people.profile_id % (number + 1) == 0)
            request = ShareRequest(
                audience="s", source=source, segment="24", to=str(self.folder / "out"), mode=ShareMode(mode),
                format="csv", force=True,
            )  # fmt: skip
            # as if they were many: then they are looked up, not joined
            many = patch.object(identifying, "_MANY", 1 if source == "sha256" else identifying._MANY)
            with many, self.project.lake.attempt("parity") as directory:
                shared = exporter.share(request, some.select("profile_id"), directory=directory)
                self.project.engine.count(shared.people)
                self.project.engine.count(shared.complement)
            assert not shared.receipt.faults()
            if number == 0:
                profiles.import_file(refused)
                # each way a delivery can go wrong once, not for every kind of ID: statements are slow to start on Spark
                if source == "sha256":
                    self.given_up(exporter, source)
                    self.added(exporter, source)
                else:
                    self.settled(exporter, source)
        with self.project.lake.attempt("parity") as directory:
            people = profiles.current().select("profile_id", "external_id")
            have, lack = exporter.identified(source, people, directory=directory)
            self.project.engine.fetch(have)
            self.project.engine.fetch(lack)

    def given_up(self, exporter: Exporter, source: str) -> None:
        """A delivery breaks off when some of it has arrived, and is given up."""
        people = self.project.profiles.current()
        some = people.filter(people.profile_id % 3 == 0).select("profile_id")
        request = ShareRequest(
            audience="s", source=source, segment="24", to=str(self.folder / "out"), mode=ShareMode.SYNC, format="csv",
            force=True,
        )  # fmt: skip
        with (
            patch.object(Sending, "put", side_effect=TransportUnreachable("gone")),
            self.project.lake.attempt("parity") as directory,
            pytest.raises(TransportUnreachable),
        ):
            exporter.share(request, some, directory=directory)
        assert self.project.shares.discard("s").unsure

    def added(self, exporter: Exporter, source: str) -> None:
        """Some are added after somebody said no: to a delivery that nobody knows the end of, and as a signal."""
        people = self.project.profiles.current()
        for number, (audience, options) in enumerate(
            (("s", {}), ("signal", {"signal": "yes"}), ("signal", {"signal": "yes"}))
        ):
            request = ShareRequest(
                audience=audience, source=source, segment="24", to=str(self.folder / audience), options=options,
                mode=ShareMode.ADD, format="inbound", force=True,
            )  # fmt: skip
            some = people.filter(people.profile_id % (number + 2) == 0).select("profile_id")
            with self.project.lake.attempt("parity") as directory:
                assert not exporter.share(request, some, directory=directory).receipt.faults()
            self.say_no(f"added-{number}", number + 2)

    def say_no(self, name: str, first: int) -> None:
        """Some more people do not want to be shared any more."""
        keys = self.project.profiles.current().select("external_id").order_by("external_id").distinct()
        names = [row["external_id"] for row in self.project.engine.fetch(keys).to_pylist() if row["external_id"]]
        file = self.folder / f"{name}.csv"
        file.write_text("external_id,do_not_share\n" + "".join(f"{name},true\n" for name in names[first::7]))
        self.project.profiles.import_file(file)

    def settled(self, exporter: Exporter, source: str) -> None:
        """Some of a delivery may have arrived, and people say no before it is brought to its end."""
        lost = TransportUnreachable("gone")
        lost.may_have_arrived = True
        request = ShareRequest(
            audience="s", source=source, segment="24", to=str(self.folder / "out"), mode=ShareMode.SYNC, format="csv",
            force=True,
        )  # fmt: skip
        people = self.project.profiles.current()
        for number, part in enumerate((2, 3)):
            some = people.filter(people.profile_id % part == 0).select("profile_id")
            left = patch.object(Sending, "_put", side_effect=lost)
            with self.project.lake.attempt("parity") as directory, left, pytest.raises(TransportUnreachable):
                exporter.share(request, some, directory=directory)
            self.say_no(f"settled-{number}", number)
            with self.project.lake.attempt("parity") as directory:
                receipt = exporter.share(request, some, directory=directory).receipt
            assert not receipt.faults()

    def saves(self) -> None:
        """Lists and files of workflows, replaced and completed, compared and reconciled; rules, frozen and replaced."""
        audiences, people = self.project.audiences, self.project.profiles.current()
        lines = pa.table(
            {
                "email": [None, "", "fovea.f@example.com", "fovea.f@example.com", "x\n", "\u0130"],
                "Score, {all}": [1.5, None, float("nan"), float("nan"), -0.0, 0.0],
                "day": pa.array([0, None, 1, 1, 2, 3], pa.date32()),
            }
        )
        audiences.create("rule", "mobile_phone IS NOT NULL OR length(email) > 20")
        audiences.create("rules", "in_audience('rule') AND NOT external_id LIKE '%7'")
        audiences.edit("rule", rule="length(email) > 18")
        audiences.count("rules")
        audiences.freeze("rules", "rule")
        for name, dimension, relation in (
            ("list", "profile", people.select("profile_id", score=people.profile_id % 7, email=people.email)),
            ("file", "", self.project.engine.relation(lines)),
        ):
            for number, content in enumerate(("replace", "complete", "replace")):
                some = relation.limit(0) if number == 2 and not dimension else relation
                some = relation.filter(relation.profile_id % (number + 2) == 0) if dimension else some
                some = some.drop("email") if dimension and number == 1 else some
                request = SaveRequest(audience=name, content=Content(content))
                with self.project.lake.attempt("parity") as directory:
                    audiences.library.save(request, some, dimension=dimension, directory=directory)
                audiences.members(name).to_arrow()
                audiences.diff(name, number).to_arrow()
            audiences.rollback(name)
            audiences.library.shown(Population(audiences.library.rows(name), dimension), None).to_arrow()
        audiences.reconcile("file", key="email")
        audiences.members("rule").to_arrow()

    def rest(self) -> None:
        """Lists, all segments at once, refreshing, going back, and the reasons of one ID."""
        audiences = self.project.audiences
        file = hostile.segment_file(self.folder, "all_1_2_full_1486140844000.sync", hostile.wire("sha256"))
        audiences.import_file(file, source="sha256", all_segments=True)
        listed = self.folder / "list.csv"
        listed.write_bytes(b"id\n" + b"\n".join(hostile.wire("md5")) + b"\nzz\n")
        audiences.import_file(listed, source="md5", name="listed")
        audiences.refresh("sha256-24")
        audiences.refresh("listed", plan=True)
        audiences.rollback("sha256-24", 1)
        audiences.diagnose("sha256-24", seconds=600)
        audiences.diagnose("listed", seconds=600)
        for value, source in (
            ("fovea.f@example.com", "plain"),
            (hostile.protect("fovea.f@example.com", "sha256").decode(), "sha256"),
            (hostile.protect("fovea.f@example.com", "aes-cbc").decode(), "aes"),
            (f"{7:038d}", "visitor"),
            ("nobody@example.com", "plain"),
        ):
            self.project.explain(value, source)
