"""The match rate of a source over time: a warning for a clear fall, none for chance or few IDs."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import pytest
from sharing_oracle import PEOPLE

from symbolon.records import AudienceVersion, DataSource, Origin, Protection, Receipt
from symbolon.sharing.rates import fall, import_rates, match_rate, newest_fall


def receipt(matched: int, asked: int, audience: str = "vip") -> Receipt:
    return Receipt(audience=audience, accepted=asked, matched=matched, unmatched=asked - matched)


def version(matched: int, asked: int, audience: str = "vip") -> AudienceVersion:
    return AudienceVersion(
        audience_id=1, version=1, origin=Origin.IMPORT, run_id="", rows_version=0, created=datetime.now(UTC),
        receipt=receipt(matched, asked, audience),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("new", "before", "warns"),
    [
        ((300, 1000), [(700, 1000), (690, 1000), (710, 1000)], True),
        ((620, 1000), [(700, 1000), (690, 1000), (710, 1000)], False),  # less than ten points
        ((590, 1000), [(700, 1000), (690, 1000), (710, 1000)], True),
        ((900, 1000), [(700, 1000)], False),  # it rose
        ((30, 99), [(700, 1000)], False),  # too few to tell
        ((55, 100), [(700, 1000)], True),
        ((58, 100), [(700, 1000)], False),  # twelve points, which chance does with a hundred
        ((300, 1000), [(700, 1000), (310, 1000), (305, 1000)], False),  # the median decides, not the best
        ((300, 1000), [], False),
        ((0, 0), [(700, 1000)], False),
        ((80, 1000), [(1000, 1000)], True),
    ],
)
def test_a_clear_fall_is_warned_of(new, before, warns):
    assert bool(fall(receipt(*new), [version(*one) for one in before])) is warns


def test_other_audiences_count_only_where_there_is_no_past_and_they_are_several():
    others = [version(700, 1000, f"other{n}") for n in range(3)]
    assert fall(receipt(300, 1000), others)
    assert not fall(receipt(300, 1000), others[:2])
    assert not fall(receipt(300, 1000), [*others, version(310, 1000)])


def test_the_warning_names_the_rates_and_the_command():
    words = fall(receipt(250, 1000, "big spenders"), [version(700, 1000, "big spenders")])
    assert words == (
        "the match rate fell to 25.0 %; the import before had 70.0 %: "
        "`symbolon audience diagnose 'big spenders'` looks for the reason"
    )


def test_rates_without_ids_are_none():
    assert match_rate(receipt(0, 0)) is None
    assert match_rate(receipt(0, 5)) == 0.0


def test_a_fall_is_in_the_receipt_and_in_the_source(project, tmp_path):
    project.sources.add(DataSource(name="mail", key="email", protection=Protection.SHA256))

    def deliver(moment: int, form) -> Receipt:
        path = tmp_path / f"S3_1_2_full_{1486140844000 + moment}.sync"
        ids = [hashlib.sha256(form(one.email.strip().lower()).encode()).hexdigest() for one in PEOPLE if one.email]
        ids += [hashlib.sha256(f"stranger{n}".encode()).hexdigest() for n in range(60)]
        path.write_text("".join(f"{one} 24\n" for one in dict.fromkeys(ids)))
        return project.audiences.import_file(path, source="mail", segment="24", name="vip", force=True)

    source = project.sources.show("mail")
    assert newest_fall(project.store, source) == ""
    first = deliver(1, str)
    assert deliver(2, str).warnings == []
    assert newest_fall(project.store, source) == ""
    bad = deliver(3, str.upper)
    assert ["audience diagnose vip" in one for one in bad.warnings] == [True]
    assert newest_fall(project.store, source) == bad.warnings[0]
    rates = import_rates(project.store, source)
    assert [(one.version, one.matched) for one in rates] == [(3, 0), (2, first.matched), (1, first.matched)]
    assert rates[0].unmatched == {"unknown_id": bad.unmatched}
