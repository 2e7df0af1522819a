"""The acceptance tests of exports, from the reference: hashes, new only, browsers, consent."""

from __future__ import annotations

import gzip
import hashlib
import logging
from unittest.mock import patch

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from receiving_side import Receiver, out, share

import symbolon
from symbolon.ids import match_keys
from symbolon.policy import TermsNotAccepted
from symbolon.records import Channel, DataSource, Encoding, Kind, Protection
from symbolon.sharing import identifying
from symbolon.sharing.errors import AudienceTypeError, ExportOptionError, ShareMismatch, ShrinkRefused
from symbolon.targeting import ShareRequest

P1 = "55e79200c1635b37ad31a378c39feb12f120f116625093a19bc32fff15041149"
P2 = "f689a20c4f018ad9f45f6e527120a6a15552d771b03b26c10298f8983122fac0"
P3 = hashlib.sha256(b"mixed@example.com").hexdigest()
KEY, IV = bytes(range(16)), bytes(range(16, 32))


@pytest.fixture
def crm(project):
    project.sources.add(DataSource(name="crm", key="email", protection=Protection.SHA256, dpid=33))
    return project


def everything_below(folder):
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_hash_export_has_exactly_the_digests(crm, caplog):
    caplog.set_level(logging.DEBUG)
    receipt, people, lacking = share(crm, [1, 2])
    (file,) = out(crm).iterdir()
    lines = file.read_text().splitlines()
    assert sorted(lines) == [f"{P1}\td_sid=24", f"{P2}\td_sid=24"]
    assert (people, lacking, receipt.ids, receipt.added, receipt.removed) == ({"C1", "C2"}, {}, 2, 2, 0)
    assert receipt.files == [{"name": file.name, "records": 2, "bytes": file.stat().st_size}]
    assert file.name == f"ftp_dpm_33_{file.name.split('_')[3][:10]}.sync"
    assert "johndoe" not in caplog.text


@pytest.mark.parametrize("protection", [Protection.SHA256, Protection.AES_CBC])
def test_no_plain_identifier_in_any_file_of_an_export(tmp_path, caplog, protection):
    """What the profiles themselves are kept as does not count; everything an export leaves does."""
    caplog.set_level(logging.DEBUG)
    canary = "canary.of.ours@example.com"
    people = tmp_path / "p.csv"
    people.write_text(f"external_id,email\nC1,{canary}\nC2,other@example.com\n")
    with symbolon.init(tmp_path / "project") as project:
        project.profiles.import_file(people)
        secret = {"key": KEY, "iv": IV} if protection is Protection.AES_CBC else {}
        project.sources.add(DataSource(name="crm", key="email", protection=protection, dpid=33), **secret)
        folder = project.settings.project
        before = {path for path in folder.rglob("*") if path.is_file()}
        assert canary.encode() in everything_below(folder / "lake")  # the canary can be seen at all
        project.engine.examine()
        seen = []
        put = symbolon.transports.local.LocalTransport.put

        def looking(transport, source, name, **options):
            files = [path for path in folder.rglob("*") if path.is_file() and path not in before]
            seen.extend(path.read_bytes() for path in files)
            return put(transport, source, name, **options)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("symbolon.transports.local.LocalTransport.put", looking)
            share(project, [1, 2], mode="sync")
            share(project, [1], mode="replace", force=True)
        assert len(seen) > 4
        left = [path.read_bytes() for path in folder.rglob("*") if path.is_file() and path not in before]
    assert not any(canary.encode() in data or b"canary" in data for data in seen + left)
    assert "canary" not in caplog.text


def test_a_second_share_adds_who_is_new(crm):
    side = Receiver(out(crm))
    share(crm, [1, 2])
    assert side.read() == {P1, P2}
    receipt, *_ = share(crm, [2, 3])
    assert side.read() == {P1, P2, P3}
    assert (receipt.added, receipt.removed, receipt.kept, receipt.version) == (1, 0, 1, 2)


def test_replace_leaves_only_those_who_were_named(crm):
    side = Receiver(out(crm))
    share(crm, [1, 2])
    receipt, *_ = share(crm, [2, 3], mode="replace")
    assert side.read() == {P2, P3}
    assert (receipt.ids, receipt.added, receipt.removed, receipt.kept) == (2, 1, 1, 1)
    assert [file["records"] for file in receipt.files] == [2, 1]
    assert [".overwrite" in file["name"] for file in receipt.files] == [True, False]


def test_an_empty_key_is_in_the_complement(crm):
    _, people, lacking = share(crm, [1, 8])
    assert (people, lacking) == ({"C1"}, {"C8": "no_id"})


def test_browsers_of_profiles(project):
    project.sources.add(DataSource(name="web", kind=Kind.VISITOR, dpid=77))
    receipt, people, lacking = share(project, [1, 2, 3], source="web")
    (file,) = out(project).iterdir()
    users = sorted(line.split("\t")[0] for line in file.read_text().splitlines())
    assert users == ["00000000000000000010000000000000000007", "59767559181262060060278870901087098252"]
    assert (people, lacking, receipt.without_id) == ({"C1", "C2"}, {"C3": "no_id"}, {"no_id": 1})


def test_all_browsers_of_a_profile_and_a_browser_of_two(project, tmp_path):
    both, other = "1" * 38, "2" * 38
    links = tmp_path / "l.csv"
    links.write_text(f"visitor_id,external_id\n{both},C3\n{both},C4\n{other},C3\n")
    project.profiles.link_file(links)
    project.sources.add(DataSource(name="web", kind=Kind.VISITOR, dpid=77))
    side = Receiver(out(project))
    receipt, people, _ = share(project, [3, 4], source="web", mode="sync")
    assert (side.read(), people, receipt.ids, receipt.files[0]["records"]) == ({both, other}, {"C3", "C4"}, 2, 2)
    share(project, [4], source="web", mode="sync")
    assert side.read() == {both}  # somebody still has it


def upsert(project, tmp_path, text):
    file = tmp_path / "change.csv"
    file.write_text(text)
    project.profiles.import_file(file)


@pytest.mark.parametrize("flag", ["do_not_share", "opt_out_all", "opt_out_email"])
def test_whoever_said_no_is_in_no_export_and_is_taken_out(crm, tmp_path, flag):
    side = Receiver(out(crm))
    share(crm, [1, 2], mode="sync")
    upsert(crm, tmp_path, f"external_id,{flag}\nC2,true\n")
    receipt, people, lacking = share(crm, [1, 2, 3], mode="sync")
    assert (side.read(), people, lacking) == ({P1, P3}, {"C1", "C3"}, {"C2": flag})
    assert (receipt.withheld, receipt.added, receipt.removed) == ({flag: 1}, 1, 1)


@pytest.mark.parametrize("many", [1, 1_000])
def test_most_people_are_looked_up_while_rows_go_by(crm, tmp_path, many):
    side = Receiver(out(crm))
    numbers = [int(row["external_id"][1:]) for row in crm.engine.fetch(crm.profiles.current()).to_pylist()]
    with patch.object(identifying, "_MANY", many):
        _, people, _ = share(crm, [number for number in numbers if number != 1])
        assert P1 not in side.read()
        assert {P2, P3} <= side.read()
        assert "C1" not in people
        upsert(crm, tmp_path, "external_id,do_not_share\nC2,true\n")
        assert share(crm, [number for number in numbers if number != 3], mode="sync")[0].removed == 2
    assert P1 in side.read()
    assert not {P2, P3} & side.read()


def test_add_takes_out_whoever_said_no_since(crm, tmp_path):
    side = Receiver(out(crm))
    share(crm, [1, 2])
    upsert(crm, tmp_path, "external_id,do_not_share\nC2,true\n")
    receipt, *_ = share(crm, [3])
    assert (side.read(), receipt.added, receipt.removed) == ({P1, P3}, 1, 1)


def test_a_signal_cannot_be_taken_from_whoever_said_no_since(crm, tmp_path):
    share(crm, [1, 2], options={"signal": "yes"})
    upsert(crm, tmp_path, "external_id,do_not_share\nC2,true\n")
    receipt, *_ = share(crm, [1, 3], options={"signal": "yes"})
    assert any("IDs shared before of people whom policy withholds now: 1;" in one for one in receipt.warnings)


def test_telephone_numbers_mind_the_denylist_of_text_messages(project, tmp_path):
    project.sources.add(DataSource(name="sms", key="mobile_phone", protection=Protection.SHA256, dpid=5))
    project.sources.add(DataSource(name="crm", key="email", protection=Protection.SHA256, dpid=33))
    upsert(project, tmp_path, "external_id,opt_out_sms\nC1,true\n")
    assert share(project, [1], source="sms", audience="a", force=True)[2] == {"C1": "opt_out_sms"}
    assert share(project, [1], source="crm", audience="b")[1] == {"C1"}


def test_an_id_of_somebody_who_said_no_is_not_shared_for_another_profile_either(crm, tmp_path):
    upsert(crm, tmp_path, "external_id,do_not_share\nC5,true\n")  # C4 has the same address
    receipt, people, lacking = share(crm, [1, 4, 5])
    assert (people, lacking) == ({"C1"}, {"C4": "id_opted_out", "C5": "do_not_share"})
    assert receipt.withheld == {"id_opted_out": 1, "do_not_share": 1}


def test_terms_come_first_also_for_a_plan_and_for_ids(crm):
    crm.sources.edit("crm", {"terms": "only for mail"})
    for plan in (False, True):
        with pytest.raises(TermsNotAccepted):
            share(crm, [1], plan=plan)
    with crm.lake.attempt("x") as folder, pytest.raises(TermsNotAccepted):
        crm.audiences.exporter.identified("crm", crm.profiles.current().select("profile_id"), directory=folder)
    crm.sources.accept("crm", by="ann")
    assert share(crm, [1])[1] == {"C1"}


def test_profiles_with_one_address_are_one_id(crm):
    receipt, people, _ = share(crm, [4, 5, 1])
    assert (receipt.shared, receipt.ids, receipt.files[0]["records"], people) == (3, 2, 2, {"C1", "C4", "C5"})


@pytest.mark.parametrize("iv", [IV, None])
@pytest.mark.parametrize("encoding", list(Encoding))
def test_encrypted_ids_open_again_and_stay_the_same_on_the_other_side(project, iv, encoding):
    project.sources.add(
        DataSource(name="crm", key="email", protection=Protection.AES_CBC, channel=Channel.EMAIL, encoding=encoding,
                   iv_prefixed=iv is None, dpid=33),
        key=KEY, iv=iv,
    )  # fmt: skip
    side = Receiver(out(project))
    share(project, [1, 2, 4, 5], mode="sync")
    first = side.read()
    spec = project.sources.spec(project.sources.show("crm"), as_address=True)
    opened = match_keys(pa.array(sorted(first)), spec, keep_plaintext=True)
    assert sorted(opened.plaintext.to_pylist()) == [
        "hayden.smith@example.com",
        "johndoe@example.com",
        "shared@example.org",
    ]
    share(project, [1, 3], mode="sync", force=True)
    second = side.read()
    assert len(first & second) == 1  # the one who stayed was not encrypted anew
    share(project, [1, 3], mode="replace")
    assert side.read() == second


def test_another_key_makes_other_ids(project):
    source = DataSource(name="crm", key="email", protection=Protection.AES_CBC, dpid=33)
    project.sources.add(source, key=KEY, iv=IV)
    side = Receiver(out(project))
    share(project, [1, 2], mode="sync")
    before = side.read()
    project.sources.edit("crm", {}, key=IV, iv=KEY)
    receipt, *_ = share(project, [1, 2], mode="sync")  # nobody leaves, so nothing is asked
    assert (receipt.added, receipt.removed) == (2, 2)
    assert not before & side.read()
    project.sources.edit("crm", {}, key=KEY, iv=KEY)
    with pytest.raises(ShrinkRefused):
        share(project, [3], mode="sync")


def test_plain_ids_that_cannot_stand_on_a_line(project, tmp_path):
    upsert(project, tmp_path, "external_id,email\nC1:9,n1@example.com\nC2 9,n2@example.com\n")
    project.sources.add(DataSource(name="number", key="external_id", dpid=9))
    people = project.profiles.current()
    chosen = people.filter(people.email.isin(["n1@example.com", "n2@example.com"])).select("profile_id")
    request = ShareRequest(audience="n", source="number", segment="24", to="./out")
    with project.lake.attempt("x") as folder:
        receipt = project.audiences.exporter.share(request, chosen, directory=folder).receipt
    assert (receipt.shared, receipt.without_id) == (1, {"invalid_id": 1})
    assert next(out(project).iterdir()).read_text() == "C2 9\td_sid=24\n"


def test_lines_are_no_longer_than_they_may_be(project, tmp_path):
    """102,400 bytes with what stands behind the ID, when it is added and when it is taken away."""
    longest = 102_400 - len("\td_unsid=24\n")
    upsert(project, tmp_path, f"external_id,last_name\nC1,{'x' * longest}\nC2,{'y' * (longest + 1)}\n")
    project.sources.add(DataSource(name="surname", key="last_name", dpid=9))
    receipt, people, lacking = share(project, [1, 2], source="surname", mode="sync")
    assert (people, lacking, receipt.ids) == ({"C1"}, {"C2": "invalid_id"}, 1)
    share(project, [10], source="surname", mode="sync", force=True)
    lines = [line for path in out(project).iterdir() for line in path.read_bytes().splitlines(keepends=True)]
    assert sorted(map(len, lines)) == [102_398, 102_400]


@pytest.mark.parametrize("protection", [Protection.SHA1, Protection.MD5, Protection.SHA384, Protection.SHA512])
def test_every_algorithm(project, protection):
    project.sources.add(DataSource(name="crm", key="email", protection=protection, dpid=33))
    side = Receiver(out(project))
    share(project, [1, 2], mode="sync")
    share(project, [2, 3], mode="sync")
    expected = {
        hashlib.new(protection.value, one).hexdigest() for one in (b"hayden.smith@example.com", b"mixed@example.com")
    }
    assert side.read() == expected


def test_lists_tell_what_changes(crm):
    share(crm, [1, 2], mode="sync", format="csv", options={"gzip": "yes"})
    share(crm, [2, 3], mode="sync", format="parquet")
    plain, packed = sorted(out(crm).iterdir(), key=lambda one: one.suffix == ".gz")
    assert sorted(gzip.decompress(packed.read_bytes()).decode().splitlines()) == sorted(
        ["id,change", f"{P1},added", f"{P2},added"]
    )
    rows = {(row["id"], row["change"]) for row in pq.read_table(plain).to_pylist()}
    assert rows == {(P3, "added"), (P1, "removed")}


def test_names_with_owner_and_day(crm):
    share(crm, [1], options={"owner": "21", "by_day": "yes", "gzip": "yes", "signal": "yes"})
    (file,) = (path for path in out(crm).rglob("*") if path.is_file())
    assert file.parent.name.startswith("date=20")
    assert file.name.startswith("ftp_dpm_33_21_")
    assert file.name.endswith(".sync.gz")
    assert gzip.decompress(file.read_bytes()).decode() == f"{P1}\tic=24\n"


def test_nothing_new_sends_nothing(crm):
    share(crm, [1, 2], mode="sync")
    receipt, people, _ = share(crm, [1, 2], mode="sync")
    assert (receipt.unchanged, receipt.files, receipt.version, people) == (True, [], 1, {"C1", "C2"})
    assert len(list(out(crm).iterdir())) == 1


def test_cannot_tell_is_not_nothing(crm):
    assert share(crm, [1], mode="sync", plan=True)[0].removed is None
    assert share(crm, [1], mode="add", plan=True)[0].removed == 0
    assert share(crm, [1], mode="sync")[0].removed is None
    assert share(crm, [1, 2], mode="sync")[0].removed == 0


def test_a_plan_sends_and_keeps_nothing(crm):
    share(crm, [1, 2], mode="sync")
    before = crm.store.states(), [one.id for one in crm.store.runs(100)], sorted(out(crm).iterdir())
    plan, *_ = share(crm, [2, 3], mode="sync", plan=True)
    assert (plan.added, plan.removed, plan.version) == (1, 1, 2)
    after = crm.store.states(), [one.id for one in crm.store.runs(100)], sorted(out(crm).iterdir())
    assert before == after
    done, *_ = share(crm, [2, 3], mode="sync")
    assert (done.added, done.removed, done.kept, done.ids) == (plan.added, plan.removed, plan.kept, plan.ids)


def test_a_large_shrink_and_nobody_are_refused(crm):
    side = Receiver(out(crm))
    share(crm, range(10, 20), mode="sync")
    with pytest.raises(ShrinkRefused) as refused:
        share(crm, range(10, 14), mode="sync")
    assert (refused.value.exit_code, refused.value.details) == (3, {"leaving": 6, "before": 10})
    with pytest.raises(ShrinkRefused):
        share(crm, [], mode="add")
    assert len(side.read()) == 10
    assert "would be refused" in share(crm, [], mode="sync", plan=True)[0].warnings[0]
    assert share(crm, range(10, 15), mode="sync")[0].removed == 5  # exactly the half
    assert share(crm, range(10, 11), mode="sync", max_shrink=1.0)[0].removed == 4
    assert share(crm, [], mode="sync", force=True)[0].removed == 1
    assert side.read() == set()


def test_ids_of_people_as_they_stand_on_the_wire(crm):
    people = crm.profiles.current()
    chosen = people.filter(people.external_id.isin(["C1", "C6", "C8"])).select(
        "profile_id", "external_id", mark=ibis.literal(7)
    )
    with crm.lake.attempt("x") as folder:
        have, lack = crm.audiences.exporter.identified("crm", chosen, directory=folder)
        rows = crm.engine.fetch(have.drop("profile_id")).to_pylist()
        reasons = sorted(row["reason"] for row in crm.engine.fetch(lack).to_pylist())
    assert rows == [{"id": P1, "external_id": "C1", "mark": 7}]
    assert reasons == ["do_not_share", "no_id"]


def test_what_cannot_be_asked_for(crm):
    crm.sources.add(DataSource(name="numberless", key="email", protection=Protection.SHA256))
    for options in (
        {"source": "numberless"},
        {"segment": "vip"},
        {"format": "xml"},
        {"options": {"owner": "x"}},
        {"options": {"colour": "red"}},
        {"options": {"signal": "yes"}, "mode": "sync"},
        {"max_shrink": 2.0},
    ):
        with pytest.raises(ExportOptionError):
            share(crm, [1], **options)
    share(crm, [1])
    with pytest.raises(ShareMismatch):
        share(crm, [1], segment="25")
    audience = symbolon.records.Audience(name="f", type=symbolon.records.AudienceType.FILE)
    with pytest.raises(AudienceTypeError):
        crm.audiences.exporter.export(audience, lambda: None, None)


def test_one_segment_of_a_source_has_one_memory(crm):
    crm.audiences.queries.create("one", "external_id = 'C1'")
    crm.audiences.queries.create("two", "external_id = 'C2'")
    side = Receiver(out(crm))
    given = {"source": "crm", "segment": "24", "to": "./out", "mode": "replace"}
    assert crm.audiences.export("one", **given).audience == "one"
    over = crm.audiences.export("two", **given, max_shrink=1.0)
    assert over.audience == "one"
    assert any(
        "held the people of audience one before: those of audience two take their place" in w for w in over.warnings
    )
    assert side.read() == {P2}
    assert not any("held the people" in w for w in crm.audiences.export("two", **given).warnings)
    assert crm.audiences.export("one", **{**given, "segment": "25"}).audience == "one (crm 25)"


def test_two_shares_of_one_segment_at_one_place(crm):
    """Each would take away whom the other added: only what adds may stand beside what adds."""
    side = Receiver(out(crm))
    share(crm, [1, 2], audience="one", mode="sync")
    elsewhere, itself = {"to": "./elsewhere"}, {"to": str(out(crm))}
    for given in ({}, itself, {"mode": "add"}, {"plan": True}):
        with pytest.raises(ShareMismatch, match="as `one`") as refused:
            share(crm, [2, 3], audience="two", **({"mode": "sync"} | given))
        assert "--as 'one'" in refused.value.hint
    share(crm, [2, 3], audience="two", mode="sync", **elsewhere)
    share(crm, [2, 3], audience="three", mode="sync", segment="25")
    share(crm, [1], audience="one", mode="sync")
    assert side.read() == {P1}


def test_two_shares_that_only_add(crm):
    side = Receiver(out(crm))
    share(crm, [1, 2], audience="one", mode="add")
    share(crm, [2, 3], audience="two", mode="add")
    assert side.read() == {P1, P2, P3}
    with pytest.raises(ShareMismatch):
        share(crm, [2], audience="two", mode="sync", force=True)


@pytest.mark.parametrize("kind", ["inbound", "csv", "parquet"])
def test_what_is_delivered_to_a_folder_is_private(crm, kind):
    share(crm, [1, 2], to="./outbox/deep", format=kind, options={"by_day": "yes"})
    made = list((crm.settings.project / "outbox" / "deep").rglob("*"))
    modes = {path.stat().st_mode & 0o777 for path in made if path.is_file()}
    folders = {path.stat().st_mode & 0o777 for path in made if path.is_dir()}
    assert (modes, folders) == ({0o600}, {0o700})
