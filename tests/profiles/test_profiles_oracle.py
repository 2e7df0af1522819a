"""Upserts of any files in any order, beside a dict: profiles, counts, digests, and what is said to be shared."""

from __future__ import annotations

import csv
import io
import tempfile
from collections import Counter
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from profiles_oracle import FIELDS, People, plain

import symbolon
from symbolon import ids
from symbolon.lake import layered

INDEXES = (("email", "sha256"), ("email", "md5"), ("mobile_phone", "sha1"), ("email", "sha512"))
#: few values, so that keys meet; simple ones, and those that the engine leaves to `ids`
KEYS = st.sampled_from(["", "1", "2", "3", "04", "4", " 5", "A", "a", "é"])
EMAILS = st.sampled_from(
    [
        "",
        "a@x.com",
        "A@x.com",
        " a@x.com ",
        "b@x.com",
        "  ",
        "İ@x.com",
        "Ünal@x.com",
        "c@x.com\t",
        "tab\tbed@x.com",
        "ß",
    ]
)
PHONES = st.sampled_from(["", "+33612345678", " +33612345678", "call me", "none", "+33612345679"])
CITIES = st.sampled_from(["", "Paris", "Oslo", "“Rome”, west"])
VALUES = dict(zip(FIELDS, (KEYS, EMAILS, PHONES, CITIES), strict=True))
#: headers of each field that a file may use
SPELLINGS = {
    "external_id": ["external_id", "externalId", "EXTERNAL ID"],
    "email": ["email", "E-Mail", "Mail"],
    "mobile_phone": ["mobile_phone", "mobilePhone"],
    "city": ["city", "CITY"],
}


@st.composite
def files(draw, key: str):
    """Give rows, and the headers of their columns in the order of the file."""
    others = draw(st.lists(st.sampled_from([name for name in FIELDS if name != key]), unique=True))
    columns = draw(st.permutations([key, *others]))
    rows = draw(st.lists(st.fixed_dictionaries({name: VALUES[name] for name in columns}), max_size=8))
    return [draw(st.sampled_from(SPELLINGS[name])) for name in columns], list(columns), rows


def written(headers: list[str], columns: list[str], rows: list[dict[str, str]]) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    writer.writerow(headers)
    writer.writerows([[row[name] for name in columns] for row in rows])
    return out.getvalue().encode()


class Upserts(RuleBasedStateMachine):
    @initialize(early=st.booleans(), layers=st.sampled_from([0, 2, 100]))
    def begin(self, early: bool, layers: int) -> None:
        # so few rows would always be compacted: here after 0 layers, after 2, never
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(layered, "COMPACT_SHARE", 1e9)
        self.patch.setattr(layered, "COMPACT_LAYERS", layers)
        self.folder = tempfile.TemporaryDirectory()
        self.project = symbolon.init(Path(self.folder.name) / "project")
        self.people = People()
        if early:  # digests of nobody, before the first profile
            self.kept()

    @rule(data=st.data(), key=st.sampled_from(["external_id", "external_id", "external_id", "email", "mobile_phone"]))
    def upsert(self, data, key: str) -> None:
        headers, columns, rows = data.draw(files(key))
        before = self.project.profiles.revision
        was = plain(self.people.profiles)
        expected = self.people.upsert(rows, key)
        path = Path(self.folder.name) / "people.csv"
        path.write_bytes(written(headers, columns, rows))
        planned = self.project.profiles.import_file(path, key=key, plan=True)
        assert self.project.profiles.revision == before
        receipt = self.project.profiles.import_file(path, key=key)
        assert receipt.rejected == dict(expected.rejected)
        counts = (expected.created, expected.updated, expected.unchanged)
        assert (receipt.created, receipt.updated, receipt.unchanged) == counts
        assert (planned.created, planned.updated, planned.unchanged) == counts
        assert receipt.lines == receipt.received == len(rows)
        assert receipt.received == receipt.accepted + sum(receipt.rejected.values())
        assert receipt.accepted == receipt.created + receipt.updated + receipt.unchanged
        if before:
            assert (receipt.revision > before) == (plain(self.people.profiles) != was)

    @precondition(lambda self: self.project.profiles.count)
    @rule()
    def reopen(self) -> None:
        path = self.project.settings.project
        self.project.close()
        self.project = symbolon.open(path)

    @invariant()
    def profiles_are_those_of_the_dict(self) -> None:
        found = self.project.engine.fetch(self.project.profiles.current())
        assert plain(found.select(list(FIELDS)).to_pylist()) == plain(self.people.profiles)
        numbers = found["profile_id"].to_pylist()
        assert len(set(numbers)) == len(numbers) == self.project.profiles.count

    @invariant()
    def digests_are_those_of_hashlib(self) -> None:
        if self.project.profiles.count:
            self.kept()

    def kept(self) -> None:
        rows = self.project.engine.fetch(self.project.profiles.current())
        name_of = dict(zip(rows["profile_id"].to_pylist(), rows["external_id"].to_pylist(), strict=True))
        for name, algorithm in INDEXES:
            index = self.project.profiles.index(name, "adobe", "", algorithm)
            table = self.project.engine.fetch(index.relation)
            assert table.column_names == ["profile_id", *[f"d{n}" for n in range(index.words)]]
            words = [table[f"d{n}"].to_numpy() for n in range(index.words)]
            texts = ids.words_to_text(words, algorithm).to_pylist() if table.num_rows else []
            found = Counter(
                (name_of[number] or "", text)
                for number, text in zip(table["profile_id"].to_pylist(), texts, strict=True)
            )
            assert found == self.people.digests(name, algorithm)
            held = Counter(table["d0"].to_pylist())
            shared = set()
            if index.shared is not None:
                shared = set(self.project.engine.fetch(index.shared)["d0"].to_pylist())
            assert {word for word, count in held.items() if count > 1} <= shared

    def teardown(self) -> None:
        self.patch.undo()
        self.project.close()
        self.folder.cleanup()


#: a step takes a tenth of a second: making a failure smaller would take minutes
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)
Upserts.TestCase.settings = settings(
    max_examples=8, stateful_step_count=6, deadline=None, phases=PHASES, suppress_health_check=list(HealthCheck)
)
TestUpserts = Upserts.TestCase


@pytest.mark.slow
class TestManyUpserts(Upserts.TestCase):
    settings = settings(
        max_examples=60, stateful_step_count=15, deadline=None, phases=PHASES, suppress_health_check=list(HealthCheck)
    )
