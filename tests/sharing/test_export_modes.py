"""Shares step by step, against a dict on each side: what the other side has, and what it should have."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from receiving_side import Receiver, out, share

import symbolon
from symbolon.records import DataSource, Kind, Protection
from symbolon.sharing import identifying
from symbolon.sharing.errors import ShrinkRefused

NUMBERS = [1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12]
ADDRESSES = {
    1: "johndoe@example.com", 2: "hayden.smith@example.com", 3: "mixed@example.com", 4: "shared@example.org",
    5: "shared@example.org", 7: "i̇pek.ünal@example.com", 10: "person0@example.com", 11: "person1@example.com",
    12: "person2@example.com", 6: "private@example.net",
}  # fmt: skip
STRANGER = "somebody-elses-id"


class Shares(RuleBasedStateMachine):
    """One segment at the other side that we and somebody else share to."""

    template: Path
    source: DataSource

    @initialize()
    def begin(self):
        self.folder = Path(tempfile.mkdtemp(prefix="symbolon-shares-"))
        shutil.copytree(self.template, self.folder / "project")
        self.project = symbolon.open(self.folder / "project")
        self.project.sources.add(self.source)
        self.side = Receiver(out(self.project))
        self.side.traits[STRANGER].add("24")
        self.side.traits[STRANGER].add("99")
        self.opted_out = {6}
        #: whom the other side has from us, and whether anything was ever shared
        self.ours: set[str] = set()
        self.known = False

    def ids(self, numbers) -> set[str]:
        said_no = {ADDRESSES[number] for number in self.opted_out}
        kept = {ADDRESSES[number] for number in numbers if number in ADDRESSES and number not in self.opted_out}
        return {self.wire(address) for address in kept - said_no}

    def wire(self, address: str) -> str:
        hashed = self.source.protection is Protection.SHA256
        return hashlib.sha256(address.encode()).hexdigest() if hashed else address

    @rule(
        numbers=st.sets(st.sampled_from(NUMBERS), min_size=1),
        mode=st.sampled_from(["add", "sync", "replace"]),
        packed=st.booleans(),
        looked_up=st.booleans(),
    )
    def share(self, numbers, mode, packed, looked_up):
        wanted = self.ids(numbers)
        options = {"gzip": "yes"} if packed else {}
        with patch.object(identifying, "_MANY", 1 if looked_up else 1_000):
            receipt, people, lacking = share(self.project, numbers, mode=mode, force=True, options=options)
        said_no = {self.wire(ADDRESSES[number]) for number in self.opted_out}
        leaving = self.ours & said_no if mode == "add" else self.ours - wanted
        assert (receipt.population, receipt.ids) == (len(numbers), len(wanted))
        assert receipt.added == len(wanted - self.ours)
        assert receipt.removed == (len(leaving) if self.known or mode == "add" else None)
        assert {*people, *lacking} == {f"C{number}" for number in numbers}
        self.ours = wanted | (self.ours - leaving if mode == "add" else set())
        self.known = True
        self.compare()

    @rule(number=st.sampled_from(sorted(set(ADDRESSES) - {6})))
    @precondition(lambda self: len(self.opted_out) < 3)
    def opt_out(self, number):
        file = self.folder / "said_no.csv"
        file.write_text(f"external_id,do_not_share\nC{number},true\n")
        self.project.profiles.import_file(file)
        self.opted_out.add(number)

    @rule(numbers=st.sets(st.sampled_from(NUMBERS), max_size=2))
    @precondition(lambda self: len(self.ours) > 3)
    def shrink(self, numbers):
        leaving = self.ours - self.ids(numbers)
        if numbers and len(leaving) / len(self.ours) <= 0.5:
            return
        with pytest.raises(ShrinkRefused):
            share(self.project, numbers, mode="sync")
        self.compare()

    def compare(self):
        assert self.side.read() == self.ours | {STRANGER}
        # others' traits of others' IDs are never touched
        assert self.side.traits[STRANGER] == {"24", "99"}

    def teardown(self):
        if hasattr(self, "project"):
            self.project.close()
            shutil.rmtree(self.folder, ignore_errors=True)


@pytest.mark.parametrize("protection", [Protection.SHA256, Protection.PLAIN])
def test_the_other_side_has_what_we_think_it_has(people_folder, protection):
    class Machine(Shares):
        template = people_folder
        source = DataSource(name="crm", key="email", protection=protection, dpid=33)

    few = settings(
        max_examples=4, stateful_step_count=7, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True
    )
    run_state_machine_as_test(Machine, settings=few)


def test_an_encrypted_source_with_an_iv_of_its_own_for_each(project):
    """Ciphertexts differ each time, so what goes has to be what came."""
    source = DataSource(name="crm", key="email", protection=Protection.AES_CBC, iv_prefixed=True, dpid=33)
    project.sources.add(source, key=bytes(16))
    side = Receiver(out(project))
    sizes = []
    for numbers, mode in (([1, 2, 3], "sync"), ([2, 3], "sync"), ([3, 10], "add"), ([10], "replace"), ([11], "sync")):
        share(project, numbers, mode=mode, force=True)
        sizes.append(len(side.read()))
    assert sizes == [3, 2, 3, 1, 1]


def test_browsers_in_turn(project):
    project.sources.add(DataSource(name="web", kind=Kind.VISITOR, dpid=33))
    side = Receiver(out(project))
    for numbers, count in (([1, 2], 2), ([1], 1), ([2, 3], 1)):
        share(project, numbers, mode="sync", source="web", force=True)
        assert len(side.read()) == count
