"""Bad input: each gets a code, a place and a mend, the right exit code, and nothing is lost or given away."""

from __future__ import annotations

import json
import os
import sqlite3
from io import StringIO
from pathlib import Path

import pytest
from cli_shop import CANARY, ENCRYPTED_FILE, IV, KEY, LATER_FILE, SEGMENT_FILE, encrypt, lines, sha256
from rich.console import Console

from symbolon.cli import entry, failures
from symbolon.errors import EngineError, InternalError, PolicyDenied, SecretError, TransportError
from symbolon.settings import Settings, SettingsError, load_settings

VIP = ["--source", "crm-email", "--segment", "24", "--name", "vip"]


def refused(done, code: str, exit_code: int = 2) -> str:
    assert done.code == exit_code, done.err
    assert done.out == ""
    assert f"error[{code}]" in done.err, done.err
    assert "help: " in done.err
    return done.err


def test_unknown_names_come_with_near_ones(cli, shop):
    file = shop / "in" / SEGMENT_FILE
    text = refused(cli("audience", "import", file, "--source", "crm-emial", "--segment", "24"), "name.unknown")
    assert "did you mean `crm-email`?" in text
    cli("audience", "import", file, *VIP)
    assert "did you mean `vip`?" in refused(cli("audience", "show", "vipp"), "name.unknown")
    assert "did you mean `email`?" in refused(cli("audience", "members", "vip", "--columns", "emial"), "name.unknown")
    assert "known: `crm-email`" in refused(cli("source", "show", "zzz"), "name.unknown")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["audience", "imprt"], "did you mean `import`?"),
        (["audiences"], "did you mean `audience`?"),
        (["zzz"], "known: `demo`, `init`"),
        (["audience", "import", "f", "--segmnet", "1"], "did you mean `--segment` or"),
        (["audience", "import", "--source", "x"], "needs FILE"),
        (["audience", "import", "f"], "needs --source"),
        (["source", "add", "x", "--kind", "declard"], "did you mean `declared`?"),
        (["audience", "members", "x", "--limit", "many"], "--limit`: it is a whole number"),
        (["audience", "members", "x", "--limit", "-1"], "--limit`: it is at least 0"),
        (["audience", "import", "f", "--source", "x", "--wait", "long"], "--wait`: it is a number"),
        (["audience", "import", "f", "--source", "x", "--wait", "nan"], "--wait`: it is at least 0"),
        (["audience", "diff", "x", "--from"], "--from"),
    ],
    ids=" ".join,
)
def test_a_wrong_command_line(cli, arguments, says):
    done = cli(*arguments)
    text = refused(done, "command.usage")
    assert says in text
    as_json = cli(*arguments[:2], "--json", *arguments[2:])
    assert json.loads(as_json.err)["error"]["code"] == "command.usage"
    assert as_json.code == 2


def test_arguments_too_many_are_not_repeated(cli):
    text = refused(cli("id", "explain", CANARY, CANARY, "--source", "x"), "command.usage")
    assert CANARY not in text


def test_no_project(cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "symbolon init" in refused(cli("audience", "list"), "project.missing")


def test_files_that_are_none(cli, shop):
    folder = shop / "in"
    empty = lines(folder, "S3_46390_14016_full_1486140844001.sync")
    picture = folder / "picture.csv"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    cut = lines(folder, "S3_46390_14016_full_1486140844002.sync.gz", *[f"{sha256(str(n))} 24" for n in range(500)])
    cut.write_bytes(cut.read_bytes()[:-50])
    for path, code in (
        (folder / "nothing.sync", "file.missing"),
        (folder, "file.kind"),
        (empty, "file.empty"),
        (cut, "file.cut"),
    ):
        refused(cli("audience", "import", path, *VIP), code)
        assert refused(cli("file", "inspect", path), code)
    refused(cli("audience", "import", picture, "--source", "numbers"), "file.kind")
    assert json.loads(cli("audience", "list", "--json").out) == []


def test_a_list_without_the_column(cli, shop):
    file = shop / "in" / "visits.csv"
    assert "number" in refused(cli("audience", "import", file, "--source", "numbers"), "file.column")
    refused(cli("audience", "import", file, "--source", "numbers", "--column", "nmber"), "file.column")


def test_a_missing_key(cli, shop):
    done = cli("source", "add", "air", "--key", "email", "--protection", "aes-cbc")
    assert "--key-hex-file" in refused(done, "source.invalid")
    with sqlite3.connect("symbolon.db") as store:
        store.execute("delete from source_keys")
    text = refused(
        cli("audience", "import", shop / "in" / ENCRYPTED_FILE, "--source", "lounge", "--segment", "310"),
        "secret.key_missing",
        4,
    )
    assert "--key-hex-file FILE" in text


def test_a_wrong_key_keeps_the_old_version_and_tells_nothing(cli, shop, tmp_path):
    options = ["--source", "lounge", "--segment", "310", "--name", "guests"]
    assert cli("audience", "import", shop / "in" / ENCRYPTED_FILE, *options).code == 0
    wrong = "f" * 32
    (tmp_path / "wrong.key").write_text(wrong)
    assert cli("source", "edit", "lounge", "--key-hex-file", tmp_path / "wrong.key", "--iv", IV).code == 0
    later = lines(
        shop / "in", "S3_46390_20311_full_1486227244000.sync", *[f"{encrypt(f'{n}{CANARY}')} 310" for n in range(300)]
    )
    for as_json in ([], ["--json"]):
        done = cli("audience", "import", later, *options, *as_json)
        assert (done.code, done.out) == (4, "")
        assert "secret.wrong_key" in done.err
        for secret in (KEY, wrong, CANARY, encrypt(f"0{CANARY}")):
            assert secret.lower() not in done.err.lower()
    assert json.loads(cli("audience", "show", "guests", "--json").out)["version"] == 1


def test_a_key_in_the_wrong_place_is_not_repeated(cli, shop, tmp_path):
    refused(cli("source", "add", "air", "--key", "email", "--protection", "aes-cbc", "--key-hex", KEY), "command.usage")
    (tmp_path / "short.key").write_text(KEY[:-3])
    for option in (KEY, tmp_path / "short.key"):
        done = cli("source", "add", "air", "--key", "email", "--protection", "aes-cbc", "--key-hex-file", option)
        assert done.code == 2
        assert KEY[:10] not in done.err
    broken = cli("source", "edit", "lounge", "--iv", f"{IV}00")
    assert (broken.code, IV[:8] in broken.err) == (2, False)


def test_terms_that_nobody_accepted(cli, shop):
    assert cli("source", "edit", "crm-email", "--terms", "https://example.com/terms").code == 0
    file = shop / "in" / SEGMENT_FILE
    refused(cli("audience", "import", file, *VIP), "policy.terms", 3)
    assert cli("source", "accept", "crm-email", "--by", "Privacy").code == 0
    assert cli("audience", "import", file, *VIP).code == 0


def test_an_older_file(cli, shop):
    cli("audience", "import", shop / "in" / LATER_FILE, *VIP)
    assert "--force" in refused(cli("audience", "import", shop / "in" / SEGMENT_FILE, *VIP), "import.older")
    assert cli("audience", "import", shop / "in" / SEGMENT_FILE, *VIP, "--force").code == 0


def test_a_newer_store_and_lake(cli, shop):
    with sqlite3.connect("symbolon.db") as store:
        store.execute("update symbolon_version set version_num = '9999'")
    assert "newer release" in refused(cli("audience", "list"), "store.version")
    with sqlite3.connect("symbolon.db") as store:
        store.execute("update symbolon_version set version_num = '0002'")
    Path("lake/FORMAT").write_text("9\n")
    assert "newer release" in refused(cli("audience", "import", shop / "in" / SEGMENT_FILE, *VIP), "lake.version")


def test_a_damaged_store(cli, shop):
    for name in ("symbolon.db-wal", "symbolon.db-shm"):
        Path(name).unlink(missing_ok=True)
    Path("symbolon.db").write_bytes(b"this is no database at all" * 100)
    refused(cli("audience", "list"), "engine.store_corrupt", 6)


def test_a_damaged_table(cli, shop):
    cli("audience", "import", shop / "in" / SEGMENT_FILE, *VIP)
    for path in Path("lake/tables/audiences").glob("*/rows/*.parquet"):
        path.write_bytes(b"PAR1 cut")
    done = cli("audience", "members", "vip", "--format", "csv")
    assert done.code == 6
    assert "error[engine." in done.err
    assert "Traceback" not in done.err


def test_a_second_writer_is_told_who_is_first(cli, shop, monkeypatch):
    from symbolon.settings import load_settings
    from symbolon.sharing import locks

    monkeypatch.setattr(locks, "LOCK_WAIT_S", 0.2)
    settings = load_settings(shop / "shop")
    with locks.audience_lock(settings, "vip"):
        done = cli("audience", "import", shop / "in" / SEGMENT_FILE, *VIP)
    assert f"process {os.getpid()}" in refused(done, "conflict.locked")
    assert cli("audience", "import", shop / "in" / SEGMENT_FILE, *VIP).code == 0


def test_a_source_with_audiences_stays(cli, shop):
    cli("audience", "import", shop / "in" / SEGMENT_FILE, *VIP)
    refused(cli("source", "delete", "crm-email", "--yes"), "source.in_use")
    refused(cli("source", "delete", "web"), "command.confirm")
    assert cli("source", "delete", "web", "--yes").code == 0


def test_a_name_that_is_taken(cli, shop):
    refused(cli("source", "add", "crm-email", "--key", "email"), "conflict.name")


@pytest.mark.parametrize(
    ("error", "exit_code"),
    [
        (PolicyDenied("no"), 3),
        (SecretError("no"), 4),
        (TransportError("no"), 5),
        (EngineError("no"), 6),
        (InternalError("no"), 70),
        (KeyboardInterrupt(), 130),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else str(value),
)
def test_each_family_has_its_exit_code(cli, shop, monkeypatch, error, exit_code):
    from symbolon.store.sql import SqlStore

    def fail(self):
        raise error

    monkeypatch.setattr(SqlStore, "audiences", fail)
    done = cli("audience", "list")
    assert (done.code, done.out) == (exit_code, "")


def test_what_nobody_foresaw_tells_its_type_and_place_only(cli, shop, monkeypatch):
    from symbolon.store.sql import SqlStore

    def fail(self):
        raise ValueError(CANARY)

    monkeypatch.setattr(SqlStore, "audiences", fail)
    done = cli("audience", "list")
    text = refused(done, "internal", 70)
    assert "an unexpected ValueError at symbolon/cli/audience_reading.py:" in text
    assert CANARY not in text
    assert "Traceback" not in text
    monkeypatch.setenv("SYMBOLON_DEBUG", "1")
    assert "Traceback" in cli("audience", "list").err


def test_a_full_disk_and_a_refusing_system():
    full = failures.from_system(OSError(28, "No space left on device"))
    assert (full.code, full.exit_code) == ("engine.disk_full", 6)
    denied = failures.from_system(PermissionError(13, "Permission denied", "people.csv"))
    assert (denied.code, str(denied.where)) == ("command.file", "people.csv")
    odd = failures.from_system(OSError(f"something about {CANARY}"))
    assert (odd.code, CANARY in str(odd)) == ("internal", False)


def test_control_characters_do_not_reach_the_screen(cli, shop):
    done = cli("source", "show", "x\x1b[31my\x07")
    assert (done.code, "\\x07" in done.err) == (2, True)
    assert all(one.isprintable() or one == "\n" for one in done.err)
    assert entry.INTERRUPTED == 130


def test_settings_show_no_secret(tmp_path):
    settings = Settings(project=tmp_path, store="postgresql+psycopg://u:canary@h/d", spark={"token": "canary"})
    console = Console(file=StringIO())
    console.print(settings)
    assert "canary" not in repr(settings) + str(settings) + console.file.getvalue()


def test_a_wrong_variable_is_blamed_itself(tmp_path):
    (tmp_path / "symbolon.toml").write_text("")
    with pytest.raises(SettingsError, match=r"variable SYMBOLON_THREADS\n"):
        load_settings(tmp_path, {"SYMBOLON_ENGINE": "duckdb", "SYMBOLON_THREADS": "many", "SYMBOLON_REGION": "FR"})
