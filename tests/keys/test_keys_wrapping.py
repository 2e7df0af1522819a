"""Keys as people write them, and what wraps them."""

from __future__ import annotations

import stat

import pytest

from symbolon.keys import (
    KeyInvalid,
    LocalKeyProvider,
    MasterKeyError,
    WrapError,
    open_provider,
    parse_iv_hex,
    parse_key_hex,
)
from symbolon.settings import Settings

SECRET = bytes(range(32))


@pytest.mark.parametrize("digits", [32, 48, 64])
@pytest.mark.parametrize("prefix", ["", "\\x", "0x", " 0X"])
def test_keys_of_every_size(digits, prefix):
    text = "0123456789abcdefABCDEF"
    bare = (text * 4)[:digits]
    assert parse_key_hex(prefix + bare + "\n") == bytes.fromhex(bare)


@pytest.mark.parametrize("text", ["", "0" * 16, "0" * 24, "0" * 30, "0" * 33, "0" * 65, "g" * 32, "0 " * 16, "é" * 32])
def test_other_keys_are_refused_without_being_shown(text):
    with pytest.raises(KeyInvalid) as error:
        parse_key_hex(text)
    assert not text or text not in str(error.value)


@pytest.mark.parametrize("digits", [16, 24, 31, 48, 64])
def test_an_iv_has_always_16_bytes(digits):
    assert parse_iv_hex("ab" * 16) == b"\xab" * 16
    with pytest.raises(KeyInvalid):
        parse_iv_hex("a" * digits)


def test_a_wrapped_key_opens_for_its_context_only(tmp_path):
    provider = LocalKeyProvider(tmp_path / "keys" / "master.key")
    wrapped = provider.wrap(SECRET, "source:1:1")
    assert SECRET not in wrapped
    assert provider.wrap(SECRET, "source:1:1") != wrapped
    assert provider.unwrap(wrapped, "source:1:1") == SECRET
    assert LocalKeyProvider(tmp_path / "keys" / "master.key").unwrap(wrapped, "source:1:1") == SECRET
    for broken, context in [
        (wrapped, "source:2:1"),
        (wrapped[:-1] + bytes([wrapped[-1] ^ 1]), "source:1:1"),
        (wrapped[:20], "source:1:1"),
        (b"", "source:1:1"),
    ]:
        with pytest.raises(WrapError):
            provider.unwrap(broken, context)


def test_the_master_key_is_for_this_user_only(tmp_path):
    path = tmp_path / "keys" / "master.key"
    provider = LocalKeyProvider(path)
    wrapped = provider.wrap(SECRET, "c")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert list(path.parent.iterdir()) == [path]
    path.chmod(0o644)
    with pytest.raises(MasterKeyError, match="0644"):
        provider.unwrap(wrapped, "c")


def test_a_lost_or_broken_master_key_is_told(tmp_path):
    path = tmp_path / "keys" / "master.key"
    wrapped = LocalKeyProvider(path).wrap(SECRET, "c")
    text = path.read_text()
    path.write_text(text[:10])
    with pytest.raises(MasterKeyError) as error:
        LocalKeyProvider(path).unwrap(wrapped, "c")
    assert text[:10] not in str(error.value)
    path.unlink()
    with pytest.raises(MasterKeyError, match="missing"):
        LocalKeyProvider(path).unwrap(wrapped, "c")
    assert not path.exists()
    LocalKeyProvider(path).wrap(SECRET, "other")
    with pytest.raises(WrapError):
        LocalKeyProvider(path).unwrap(wrapped, "c")


def test_a_master_key_from_the_environment(tmp_path):
    settings = Settings(project=tmp_path)
    given = open_provider(settings, {"SYMBOLON_MASTER_KEY": "ab" * 32})
    assert given.unwrap(given.wrap(SECRET, "c"), "c") == SECRET
    assert not (tmp_path / "keys").exists()
    assert "abab" not in repr(given)
    with pytest.raises(MasterKeyError, match="SYMBOLON_MASTER_KEY"):
        open_provider(Settings(project=tmp_path, master_key="env"), {}).wrap(SECRET, "c")
