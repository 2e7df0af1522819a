"""Acceptance examples of the originals on a real project: files in, audience out, reasons for the rest."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from pathlib import Path

import pyarrow as pa
import pytest
from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from symbolon.errors import SymbolonError
from symbolon.records import Channel, DataSource, Encoding, Kind, OnAmbiguous, Protection
from symbolon.sharing import ImportRequest

P1 = "55e79200c1635b37ad31a378c39feb12f120f116625093a19bc32fff15041149"
P1_UNNORMALISED = "e35877709c218bbeb6dd323353456f7566a1635793fe2da12527edfd20fbdbb4"
KEY = bytes.fromhex("0123456789ABCDEF0123456789ABCDEF")
IV = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
ENC_P1 = "a4e70c52b4ca4a338d6d0ea25986355284f6ea47bb275506e61fa25b4ec4d365"
NAME = "S3_46390_14016_full_1486140844000.sync"


def add(project, name: str, **fields) -> DataSource:
    keys = {part: fields.pop(part) for part in ("key_bytes", "iv") if part in fields}
    source = DataSource(name=name, **fields)
    return project.sources.add(source, key=keys.get("key_bytes"), iv=keys.get("iv"))


def segment_file(folder: Path, *lines: str, name: str = NAME) -> Path:
    path = folder / name
    data = "".join(f"{line}\n" for line in lines).encode()
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return path


def ids_of(project, audience: str) -> list[str]:
    return project.audiences.members(audience, columns=["external_id"]).to_arrow()["external_id"].to_pylist()


def hashed(project, **fields) -> DataSource:
    return add(project, "crm", key="email", protection=Protection.SHA256, **fields)


def aes(project, **fields) -> DataSource:
    fields = {"key": "email", "channel": Channel.EMAIL, "key_bytes": KEY, "iv": IV, **fields}
    return add(project, "air", protection=Protection.AES_CBC, **fields)


def encrypt(value: str, key: bytes = KEY, iv: bytes = IV) -> str:
    padder = padding.PKCS7(128).padder()
    data = padder.update(value.encode()) + padder.finalize()
    sealer = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    return (sealer.update(data) + sealer.finalize()).hex()


def test_hashed_import_takes_either_case_and_names_the_rest(project, tmp_path):
    hashed(project)
    path = segment_file(
        tmp_path, f"{P1} 24", f"{P1.upper()} 24", f"{'0' * 64} 24", f"{P1_UNNORMALISED} 24,26", f"{'1' * 64} 26"
    )
    receipt = project.audiences.import_file(path, source="crm", segment="24")
    assert receipt.faults() == []
    assert (receipt.lines, receipt.other_segments, receipt.received) == (5, 1, 4)
    assert (receipt.accepted, receipt.matched, receipt.unmatched) == (3, 1, 2)
    assert receipt.rejected == {"duplicate_id": 1}
    assert receipt.unmatched_reasons == {"unknown_id": 2}
    assert ids_of(project, "crm-24") == ["C1"]
    rejected = project.audiences.rejects("crm-24").to_arrow().to_pylist()
    assert rejected == [{"file": NAME, "line": 2, "reason": "duplicate_id", "id": P1.lower()}]
    unmatched = project.audiences.rejects("crm-24", unmatched=True).to_arrow().to_pylist()
    assert [(row["line"], row["id"]) for row in unmatched] == [(3, "0" * 64), (4, P1_UNNORMALISED)]


@pytest.mark.parametrize("prefix", ["", "\\x", "0x"])
def test_encrypted_with_forced_reconciliation_gives_profiles(project, tmp_path, prefix):
    aes(project)
    path = segment_file(tmp_path, f"{prefix}{ENC_P1} 24", f"{prefix}{encrypt('nobody@example.com')} 24")
    receipt = project.audiences.import_file(path, source="air", segment="24")
    assert (receipt.matched, receipt.unmatched, receipt.members) == (1, 1, 1)
    assert ids_of(project, "air-24") == ["C1"]
    shown = project.audiences.rejects("air-24", unmatched=True).to_arrow()["id"].to_pylist()
    assert shown == [prefix + encrypt("nobody@example.com")]


def test_encrypted_without_reconciliation_keeps_every_address(project, tmp_path):
    aes(project)
    path = segment_file(tmp_path, f"{ENC_P1} 24", f"{encrypt('nobody@example.com')} 24", "zz 24")
    receipt = project.audiences.import_file(path, source="air", segment="24", force_reconciliation=False)
    assert receipt.members == 2
    assert receipt.rejected == {"bad_encoding": 1}
    addresses = project.audiences.members("air-24").to_arrow()["email"].to_pylist()
    assert addresses == ["johndoe@example.com", "nobody@example.com"]
    made = project.audiences.reconcile("air-24", key="email", target="known")
    assert (made.matched, made.unmatched) == (1, 1)
    assert ids_of(project, "known") == ["C1"]
    before = project.profiles.count
    made = project.audiences.reconcile("air-24", key="email", target="known", create_profiles=True)
    assert made.members == 2
    assert project.profiles.count == before + 1


def test_encrypted_phone_numbers_by_sms_and_by_key(project, tmp_path):
    aes(project, key="mobile_phone", channel=Channel.SMS)
    path = segment_file(tmp_path, "9349d1cff9c611053ee84e747a7cafdb 24")
    project.audiences.import_file(path, source="air", segment="24", name="file", force_reconciliation=False)
    assert project.audiences.members("file").to_arrow()["mobile_phone"].to_pylist() == ["+33612345678"]
    add(project, "key", key="mobile_phone", protection=Protection.AES_CBC, key_bytes=KEY, iv=IV)
    project.audiences.import_file(path, source="key", segment="24", name="by-key")
    assert ids_of(project, "by-key") == ["C1"]
    with pytest.raises(SymbolonError) as error:
        project.audiences.import_file(path, source="key", segment="24", force_reconciliation=False)
    assert error.value.code == "import.option"


def test_iv_in_front_of_each_value_and_base64(project, tmp_path):
    aes(project, iv=None, iv_prefixed=True, encoding=Encoding.BASE64)
    iv = bytes(range(16))
    value = base64.b64encode(iv + bytes.fromhex(encrypt("johndoe@example.com", iv=iv))).decode()
    receipt = project.audiences.import_file(segment_file(tmp_path, f"{value} 24"), source="air", segment="24")
    assert receipt.members == 1


def test_a_wrong_key_publishes_nothing_and_tells_no_secret(project, tmp_path):
    aes(project)
    good = segment_file(tmp_path, f"{ENC_P1} 24")
    project.audiences.import_file(good, source="air", segment="24")
    other = bytes(range(16))
    bad = segment_file(tmp_path, *[f"{encrypt(f'p{n}@example.com', key=other)} 24" for n in range(300)], name=NAME)
    with pytest.raises(SymbolonError) as error:
        project.audiences.import_file(bad, source="air", segment="24")
    assert (error.value.code, error.value.exit_code) == ("secret.wrong_key", 4)
    assert KEY.hex() not in str(error.value).lower()
    assert project.audiences.show("air-24").version == 1
    assert ids_of(project, "air-24") == ["C1"]


def test_full_replaces_and_a_failed_import_keeps_the_old(project, tmp_path):
    hashed(project)
    digest = [hashlib.sha256(f"person{n}@example.com".encode()).hexdigest() for n in range(3)]
    first = segment_file(tmp_path, f"{digest[0]} 24", f"{digest[1]} 24")
    project.audiences.import_file(first, source="crm", segment="24")
    second = segment_file(tmp_path, f"{digest[1]} 24", f"{digest[2]} 24", name=NAME.replace("844000", "844001"))
    receipt = project.audiences.import_file(second, source="crm", segment="24")
    assert (receipt.version, receipt.added, receipt.removed) == (2, 1, 1)
    changes = project.audiences.diff("crm-24", columns=["external_id"]).to_arrow().to_pylist()
    assert changes == [{"change": "added", "external_id": "C12"}, {"change": "removed", "external_id": "C10"}]
    third = segment_file(tmp_path, f"{digest[2]} 24", name=NAME.replace("844000", "844002"))
    third.with_suffix(".info").write_text(
        json.dumps({"Files": [{"FileName": third.name, "FileByteSize": third.stat().st_size, "FileLineCount": 1,
                               "FileSequenceNumber": 1, "md5": "0" * 32}]})
    )  # fmt: skip
    with pytest.raises(SymbolonError):
        project.audiences.import_file(third, source="crm", segment="24")
    assert ids_of(project, "crm-24") == ["C11", "C12"]
    back = project.audiences.rollback("crm-24")
    assert (back.version, back.receipt.added, back.receipt.removed) == (3, 1, 1)
    assert ids_of(project, "crm-24") == ["C10", "C11"]
    with pytest.raises(SymbolonError) as error:
        project.audiences.import_file(first, source="crm", segment="24")
    assert error.value.code == "import.older"


def test_split_set_is_imported_once_and_only_whole(project, tmp_path):
    hashed(project)
    digest = [hashlib.sha256(f"person{n}@example.com".encode()).hexdigest() for n in range(2)]
    one = segment_file(tmp_path, f"{digest[0]} 24", name="S3_46390_14016_full_1486140844000.sync.gz")
    entries = [{"FileName": one.name, "FileByteSize": one.stat().st_size, "FileLineCount": 1, "FileSequenceNumber": 1}]
    entries.append({"FileName": "S3_46390_14016_full_1486140844000001.sync.gz", "FileSequenceNumber": 2})
    (tmp_path / "S3_46390_14016_full_1486140844000.info").write_text(json.dumps({"Files": entries}))
    with pytest.raises(SymbolonError):
        project.audiences.import_file(one, source="crm", segment="24")
    assert project.audiences.list() == []
    segment_file(tmp_path, f"{digest[1]} 24", name="S3_46390_14016_full_1486140844000001.sync.gz")
    receipt = project.audiences.import_file(one, source="crm", segment="24")
    assert (receipt.members, len(receipt.files)) == (2, 2)
    again = project.audiences.import_file(one, source="crm", segment="24")
    assert again.unchanged
    assert project.audiences.show("crm-24").version == 1
    project.profiles.create("email", pa.array(["fresh@example.com"]))
    assert not project.audiences.import_file(one, source="crm", segment="24").unchanged


def test_iter_changes_what_it_names(project, tmp_path):
    hashed(project)
    digest = [hashlib.sha256(f"person{n}@example.com".encode()).hexdigest() for n in range(3)]
    full = segment_file(tmp_path, f"{digest[0]} 24", f"{digest[1]} 24 25")
    project.audiences.import_file(full, source="crm", segment="24")
    delta = segment_file(
        tmp_path, f"{digest[2]}  24,26,27  25,28", f"{digest[0]} 26 24", name="S3_1_2_iter_1486140844001.sync"
    )
    receipt = project.audiences.import_file(delta, source="crm", segment="24")
    assert receipt.faults() == []
    assert (receipt.mode, receipt.accepted, receipt.matched, receipt.removals) == ("iter", 2, 1, 1)
    assert (receipt.added, receipt.removed, receipt.members) == (1, 1, 2)
    assert ids_of(project, "crm-24") == ["C11", "C12"]


def test_ambiguous_and_withheld(project, tmp_path):
    hashed(project)
    shared = hashlib.sha256(b"shared@example.org").hexdigest()
    private = hashlib.sha256(b"private@example.net").hexdigest()
    path = segment_file(tmp_path, f"{shared} 24", f"{private} 24")
    receipt = project.audiences.import_file(path, source="crm", segment="24")
    assert (receipt.matched, receipt.ambiguous, receipt.withheld, receipt.members) == (2, 1, 1, 2)
    assert ids_of(project, "crm-24") == ["C4", "C5"]
    project.sources.edit("crm", {"on_ambiguous": OnAmbiguous.REJECT})
    receipt = project.audiences.import_file(path, source="crm", segment="24")
    assert receipt.unmatched_reasons == {"ambiguous_id": 1}
    assert ids_of(project, "crm-24") == []


def test_visitor_ids_keep_leading_zeros(project, tmp_path):
    add(project, "web", kind=Kind.VISITOR)
    path = segment_file(
        tmp_path,
        "59767559181262060060278870901087098252 24",
        "00000000000000000010000000000000000007 24",
        "5976755918126206006027887090108709825 24",
        "99999999999999999999999999999999999999 24",
    )
    receipt = project.audiences.import_file(path, source="web", segment="24")
    assert (receipt.members, receipt.rejected) == (2, {"malformed_id": 2})
    assert ids_of(project, "web-24") == ["C1", "C2"]


def test_several_segments_need_a_choice(project, tmp_path):
    hashed(project)
    digest = hashlib.sha256(b"person1@example.com").hexdigest()
    path = segment_file(tmp_path, f"{P1} 24,26", f"{digest} 26", "broken")
    with pytest.raises(SymbolonError) as error:
        project.audiences.import_file(path, source="crm")
    assert error.value.details == {"segments": {"24": 1, "26": 2}}
    assert project.audiences.list() == []
    request = ImportRequest(paths=[path], source="crm", all_segments=True)
    receipts = project.audiences.import_(request)
    assert {receipt.audience: receipt.members for receipt in receipts} == {"crm-24": 1, "crm-26": 2}
    assert all(receipt.faults() == [] for receipt in receipts)
    assert all(receipt.rejected == {"malformed_line": 1} for receipt in receipts)


def test_a_plan_writes_nothing(project, tmp_path):
    hashed(project)
    path = segment_file(tmp_path, f"{P1} 24")
    folder = project.settings.project

    def contents():
        return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file() and "locks" not in p.parts)

    before = contents()
    receipt = project.audiences.import_file(path, source="crm", segment="24", plan=True)
    assert (receipt.members, receipt.version) == (1, 1)
    assert project.audiences.list() == []
    project.close()
    assert [name for name in contents() if name not in before and "symbolon.db" not in name] == []


def test_refresh_lets_the_unknown_join(project, tmp_path):
    hashed(project)
    later = hashlib.sha256(b"later@example.com").hexdigest()
    project.audiences.import_file(segment_file(tmp_path, f"{later} 24"), source="crm", segment="24")
    assert ids_of(project, "crm-24") == []
    (tmp_path / "more.csv").write_text("external_id,email\nC900,later@example.com\n")
    project.profiles.import_file(tmp_path / "more.csv")
    receipt = project.audiences.refresh("crm-24")
    assert (receipt.version, receipt.added, receipt.members) == (2, 1, 1)
    assert ids_of(project, "crm-24") == ["C900"]


def test_terms_come_first(project, tmp_path):
    hashed(project, terms="for onsite personalisation only")
    path = segment_file(tmp_path, f"{P1} 24")
    with pytest.raises(SymbolonError) as error:
        project.audiences.import_file(path, source="crm", segment="24")
    assert (error.value.code, error.value.exit_code) == ("policy.terms", 3)
    project.sources.accept("crm", by="privacy officer")
    assert project.audiences.import_file(path, source="crm", segment="24").members == 1


def test_too_many_rejected_change_nothing(project, tmp_path):
    hashed(project)
    path = segment_file(tmp_path, f"{P1} 24", "short 24", "short2 24")
    with pytest.raises(SymbolonError) as error:
        project.audiences.import_file(path, source="crm", segment="24", max_rejected="50%")
    assert error.value.code == "import.rejected"
    assert project.audiences.list() == []
    assert project.audiences.import_file(path, source="crm", segment="24", max_rejected="2").members == 1


def test_a_simple_list_of_plain_customer_numbers(project, tmp_path):
    add(project, "numbers", key="external_id")
    path = tmp_path / "vip.csv"
    path.write_text("customer,city\nC1,Rome\nC2,Oslo\nC404,Bern\n")
    with pytest.raises(SymbolonError) as error:
        project.audiences.import_file(path, source="numbers")
    assert error.value.code == "file.column"
    receipt = project.audiences.import_file(path, source="numbers", column="customer")
    assert (receipt.audience, receipt.members, receipt.unmatched) == ("vip", 2, 1)
    rows = project.audiences.rejects("vip", unmatched=True).to_arrow().to_pylist()
    assert [(row["line"], row["id"]) for row in rows] == [(4, "C404")]
