"""The demo's data: the same seed gives the same bytes, and what the plan says about the files is true."""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import re
from base64 import b64decode
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from symbolon.demo import DEFAULT_SEED, DemoFile, DemoPlan, make_demo
from symbolon.demo.countries import COUNTRIES, UNASSIGNED
from symbolon.demo.people import rank_in_group
from symbolon.demo.protect import encrypt
from symbolon.records import REJECT_REASONS, DataSource

PEOPLE = 4_000


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> DemoPlan:
    return make_demo(tmp_path_factory.mktemp("demo"), profiles=PEOPLE)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def text(path: Path) -> bytes:
    data = path.read_bytes()
    return gzip.decompress(data) if path.suffix == ".gz" else data


def lines(file: DemoFile) -> list[bytes]:
    whole = b"".join(text(path) for path in file.paths).split(b"\n")
    return [line for line in whole if line][1 if file.column else 0 :]


def contents(folder: Path) -> dict[str, str]:
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path, plan: DemoPlan) -> None:
    again = make_demo(tmp_path / "again", profiles=PEOPLE)
    assert contents(again.folder) == contents(plan.folder)
    other = make_demo(tmp_path / "other", profiles=PEOPLE, seed=DEFAULT_SEED + 1)
    assert contents(other.folder).keys() == contents(plan.folder).keys()
    assert not set(contents(other.folder).values()) & set(contents(plan.folder).values())


@pytest.mark.parametrize("count", [1, 2, 17])
def test_a_handful_of_people_will_do(tmp_path: Path, count: int) -> None:
    assert len(rows(make_demo(tmp_path, profiles=count).profile_file)) >= count


def test_people_are_believable_and_nobody(plan: DemoPlan) -> None:
    people = rows(plan.profile_file)[:PEOPLE]
    assert len({row["external_id"] for row in people}) == PEOPLE
    emails = Counter(row["email"].strip().lower() for row in people if row["email"])
    assert all(re.fullmatch(r"[a-z0-9.-]+@example\.(com|net|org)", email) for email in emails)
    assert 1 <= sum(n - 1 for n in emails.values()) <= PEOPLE // 500, "a few share an address"
    assert any(row["email"] != row["email"].strip().lower() for row in people)
    ranges = [prefix for country in COUNTRIES for prefix, _ in country.numbers] + [UNASSIGNED[0]]
    phones = [row["mobile_phone"] for row in people if row["mobile_phone"]]
    assert len(set(phones)) == len(phones)
    assert all(re.fullmatch(r"\+[1-9][0-9]{6,14}", phone) and phone.startswith(tuple(ranges)) for phone in phones)
    assert {row["country"] for row in people} == {"US", "FR", "GB", "IE", "DE"}
    assert 0.002 < sum(row["do_not_share"] == "true" for row in people) / PEOPLE < 0.03
    assert all(row["birth_date"] == "" or "1900" < row["birth_date"] < "2000" for row in people)
    assert any(not row["first_name"].isascii() for row in people)
    assert any("," in row["city"] for row in people), "some cell needs its quotation marks"


def test_bad_profile_rows_are_counted(plan: DemoPlan) -> None:
    with plan.profile_file.open(encoding="utf-8", newline="") as file:
        table = list(csv.reader(file))[1:]
    seen: set[str] = set()
    found: Counter[str] = Counter()
    for row in table:
        if len(row) != 14:
            found["malformed_line"] += 1
        elif not row[0]:
            found["missing_key"] += 1
        elif row[0] in seen:
            found["duplicate_key"] += 1
        seen.add(row[0])
    assert found == plan.profile_rejects
    assert len(table) == plan.people + found.total()


def test_links_name_visitors_and_people(plan: DemoPlan) -> None:
    keys = {row["external_id"] for row in rows(plan.profile_file)}
    links = rows(plan.links_file)
    assert {row["external_id"] for row in links} <= keys
    assert all(re.fullmatch(r"\d{38}", row["visitor_id"]) for row in links)
    assert all(max(int(row["visitor_id"][:19]), int(row["visitor_id"][19:])) < 2**63 for row in links)
    assert any(row["visitor_id"].startswith("000000") for row in links)
    owners = {(row["visitor_id"], row["external_id"]) for row in links}
    assert len(owners) > len({visitor for visitor, _ in owners}), "some browsers are shared"
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", row["last_seen"]) for row in links)


def test_sources_are_definitions(plan: DemoPlan) -> None:
    sources = [DataSource(**source.definition) for source in plan.sources]
    assert {source.protection for source in sources} == {
        "plain", "md5", "sha1", "sha256", "sha384", "sha512", "aes-cbc",
    }  # fmt: skip
    assert {source.kind for source in sources} == {"visitor", "declared"}
    assert {file.source for file in plan.files} == {source.name for source in sources}
    assert not any(source.key_hex and source.key_hex in repr(plan) for source in plan.sources)


def test_control_files_are_right(plan: DemoPlan) -> None:
    for file in plan.files:
        if file.column:
            continue
        info = (file.paths[0].parent / (file.paths[0].name.split(".")[0] + ".info")).read_text()
        facts = json.loads(re.sub(r"(?m)^(\s*)(\w+):", r'\1"\2":', info))
        assert [entry["FileName"] for entry in facts["Files"]] == [path.name for path in file.paths]
        for entry, path in zip(facts["Files"], file.paths, strict=True):
            assert entry["FileByteSize"] == path.stat().st_size
            assert entry["FileLineCount"] == text(path).count(b"\n")
            assert entry["md5"] == hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
        assert facts["Totals"]["TotalNumberLines"] == file.lines == len(lines(file))


@pytest.mark.parametrize("number", range(11))
def test_the_plan_tells_what_is_in_the_files(plan: DemoPlan, number: int) -> None:
    file = plan.files[number]
    assert set(file.rejected) <= set(REJECT_REASONS[1:])
    assert len(lines(file)) == file.lines
    wanted = file.lines - file.other_segments
    assert 0.02 < sum(file.rejected.values()) / wanted < 0.06
    assert sum(len(line) > 102_400 for line in lines(file)) == file.rejected.get("line_too_long", 0)
    if not file.segment:
        return
    # a plain reading of the format: whoever cannot be read is malformed
    found: Counter[str] = Counter()
    for line in lines(file):
        fields = line.split()
        if len(line) > 102_400:
            found["line_too_long"] += 1
        elif len(fields) not in {2, 3} or b"\0" in line or b"" in fields[1].split(b",") or b"\xff" in line:
            found["malformed_line"] += 1
        elif file.segment.encode() not in fields[1].split(b","):
            if len(fields) == 3 and file.segment.encode() in fields[2].split(b","):
                found["removals"] += 1
            else:
                found["other_segments"] += 1
    assert found["malformed_line"] == file.rejected["malformed_line"]
    assert found["line_too_long"] == file.rejected["line_too_long"]
    assert (found["removals"], found["other_segments"]) == (file.removals, file.other_segments)


def test_hashed_ids_are_of_people_and_of_strangers(plan: DemoPlan) -> None:
    emails = {row["email"].strip().lower() for row in rows(plan.profile_file) if row["email"]}
    for file in plan.files:
        source = next(DataSource(**s.definition) for s in plan.sources if s.definition["name"] == file.source)
        if not source.protection.is_hash:
            continue
        known = {hashlib.new(source.protection.value, email.encode()).hexdigest().encode() for email in emails}
        ids = {line.split()[0].lower() for line in lines(file) if b"102" in line and len(line) < 1000}
        share = len(ids & known) / len(ids)
        assert 0.7 < share < 0.85, file.audience
        assert any(line.split()[0] != line.split()[0].lower() for line in lines(file))


def test_encrypted_ids_open_with_the_key_of_the_plan(plan: DemoPlan) -> None:
    people = rows(plan.profile_file)
    for name, field in (("lounge-mail-aes", "email"), ("alerts-sms-aes", "mobile_phone")):
        source = next(source for source in plan.sources if source.definition["name"] == name)
        file = next(file for file in plan.files if file.source == name)
        key, iv = bytes.fromhex(source.key_hex), bytes.fromhex(source.iv_hex)
        known = {row[field].strip().lower() for row in people}
        opened: Counter[bool] = Counter()
        for line in lines(file):
            if b"310" not in line or len(line) > 1000:
                continue
            try:
                value = line.split()[0].decode()
                sealed = (
                    bytes.fromhex(value.removeprefix("\\x").removeprefix("0x"))
                    if iv
                    else b64decode(value, validate=True)
                )
                before, sealed = (iv, sealed) if iv else (sealed[:16], sealed[16:])
                opener = Cipher(algorithms.AES(key), modes.CBC(before)).decryptor()
                unpad = PKCS7(128).unpadder()
                plain = unpad.update(opener.update(sealed) + opener.finalize()) + unpad.finalize()
                opened[plain.decode() in known] += 1
            except ValueError:
                opened[False] += 1
        assert 0.7 < opened[True] / opened.total() < 0.85


def test_encrypting_columns_equals_encrypting_values() -> None:
    rng = np.random.default_rng(5)
    values = ["", "a", "0123456789abcdef", "zoë@example.com", "x" * 100]
    key, iv = rng.bytes(24), rng.bytes(16)
    for value, sealed in zip(values, encrypt(pa.array(values), key, iv, rng), strict=True):
        padder = PKCS7(128).padder()
        sealer = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
        assert sealed == sealer.update(padder.update(value.encode()) + padder.finalize()) + sealer.finalize()


def test_ranks_count_inside_groups() -> None:
    groups = np.array([3, 1, 3, 3, 1, 2])
    assert rank_in_group(groups).tolist() == [0, 0, 1, 2, 1, 0]
