"""Planted addresses and keys: they show up only where they belong, and in no output, log, error or other file."""

from __future__ import annotations

import logging
import sqlite3

import pytest
from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from symbolon.errors import SymbolonError
from symbolon.records import Channel, DataSource, Protection

KEY = bytes.fromhex("c0ffee00c0ffee11c0ffee22c0ffee33")
IV = bytes(range(16))
CANARY = "canary.bird.7f3a@example.com"


def encrypt(value: str, key: bytes = KEY) -> str:
    padder = padding.PKCS7(128).padder()
    data = padder.update(value.encode()) + padder.finalize()
    sealer = Cipher(algorithms.AES(key), modes.CBC(IV)).encryptor()
    return (sealer.update(data) + sealer.finalize()).hex()


def test_no_address_and_no_key_leaves_its_place(project, tmp_path, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    folder = project.settings.project
    project.sources.add(
        DataSource(name="air", key="email", protection=Protection.AES_CBC, channel=Channel.EMAIL), key=KEY, iv=IV
    )
    path = tmp_path / "S3_1_2_full_1486140844000.sync"
    path.write_text(
        f"{encrypt(CANARY)} 24\n{encrypt('johndoe@example.com')} 24\n{encrypt('not ' + CANARY)} 24\nbad 24\n"
    )
    project.audiences.import_file(path, source="air", segment="24")
    rejected = project.audiences.rejects("air-24").to_arrow().to_pylist()
    assert {row["reason"] for row in rejected} == {"invalid_address", "bad_encoding"}
    explained = project.explain(encrypt(CANARY), "air")
    wrong = tmp_path / "S3_1_2_full_1486140844001.sync"
    wrong.write_text("".join(f"{encrypt(CANARY, bytes(16))} 24\n" for _ in range(3)))
    with pytest.raises(SymbolonError) as error:
        project.audiences.import_file(wrong, source="air", segment="24")
    project.close()
    out, err = capfd.readouterr()
    said = [out, err, caplog.text, str(error.value), repr(error.value), str(explained), str(rejected)]
    for text in said:
        assert CANARY not in text
        assert "canary.bird" not in text
        assert KEY.hex() not in text.lower()
    for file in folder.rglob("*"):
        if file.is_file() and file.parent.name != "keys":
            content = file.read_bytes()
            assert CANARY.encode() not in content, file
            assert KEY not in content, file
            assert KEY.hex().encode() not in content.lower(), file


def test_the_store_never_holds_rows_of_people(project, tmp_path):
    project.sources.add(DataSource(name="crm", key="email", protection=Protection.PLAIN))
    path = tmp_path / "S3_1_2_full_1486140844000.sync"
    path.write_text(f"johndoe@example.com 24\n{CANARY} 24\nx\n")
    project.audiences.import_file(path, source="crm", segment="24")
    project.close()
    dump = "\n".join(sqlite3.connect(project.settings.project / "symbolon.db").iterdump())
    assert CANARY not in dump
    assert "johndoe" not in dump
