"""Rejected records are read again after the data source was mended; what was accepted stays."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

import msgspec
import pyarrow as pa
import pytest
from arrivals import members

from symbolon.errors import SymbolonError
from symbolon.ids.aes import encrypt
from symbolon.records import Channel, DataSource, Encoding, Protection

KEY, IV = bytes(range(16)), bytes(16)


def test_ids_of_another_encoding_are_read_again(project, tmp_path: Path) -> None:
    project.sources.add(
        DataSource(name="sealed", key="email", protection=Protection.AES_CBC, channel=Channel.OTHER), key=KEY, iv=IV
    )
    values = pa.array([f"p{number}@example.com".encode() for number in range(4)], pa.binary())
    sealed = encrypt(values, KEY, IV).to_pylist()
    texts = [sealed[0].hex(), sealed[1].hex(), *(base64.b64encode(one).decode() for one in sealed[2:])]
    path = tmp_path / "S3_1_9_full_1486140844000.sync"
    path.write_text("".join(f"{one} 24\n" for one in texts))
    first = project.audiences.import_file(path, source="sealed", segment="24", name="Arrived")
    assert (first.members, sum(first.rejected.values())) == (2, 2)
    mended = msgspec.structs.replace(project.sources.show("sealed"), encoding=Encoding.BASE64)
    project.store.update_source(mended)
    plan = project.replayer.replay("Arrived", plan=True)
    assert (plan.members, plan.added, project.audiences.show("Arrived").version) == (4, 2, 1)
    receipt = project.replayer.replay("Arrived")
    assert (receipt.version, receipt.members, receipt.rejected) == (2, 4, {})
    assert members(project) == ["P000", "P001", "P002", "P003"]
    with pytest.raises(SymbolonError) as caught:
        project.replayer.replay("Arrived")
    assert caught.value.code == "feed.arrival"
    later = tmp_path / "S3_1_9_iter_1486140845000.sync"
    later.write_text(f"{base64.b64encode(sealed[0]).decode()}  24\n")
    assert project.audiences.import_file(later, source="sealed", segment="24", name="Arrived").version == 3


def test_times_in_seconds(project, tmp_path: Path) -> None:
    project.sources.add(DataSource(name="secs", key="email", protection=Protection.SHA256, timestamp="seconds"))
    path = tmp_path / "S3_1_9_full_1486140844.sync"
    path.write_text(f"zz 24\n{hashlib.sha256(b'p1@example.com').hexdigest()} 24\n")
    project.audiences.import_file(path, source="secs", segment="24", name="Arrived")
    assert project.replayer.replay("Arrived").version == 2
    later = tmp_path / "S3_1_9_iter_1486140845.sync"
    later.write_text(f"{hashlib.sha256(b'p2@example.com').hexdigest()} 24\n")
    project.audiences.import_file(later, source="secs", segment="24", name="Arrived")
    assert members(project) == ["P001", "P002"]


def test_lists_have_nothing_to_replay(project, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("sha\nnonsense\n" + hashlib.sha256(b"p1@example.com").hexdigest() + "\n")
    project.audiences.import_file(path, source="crm", name="L")
    with pytest.raises(SymbolonError) as caught:
        project.replayer.replay("L")
    assert caught.value.code == "audience.type"
