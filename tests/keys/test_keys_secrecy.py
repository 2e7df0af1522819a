"""No error, no text and no traceback shows key material; what the file system does is told as a secret's error."""

from __future__ import annotations

import os
import pickle
import stat
import threading
import traceback
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from symbolon.errors import SymbolonError
from symbolon.keys import KeyInvalid, LocalKeyProvider, MasterKeyError, WrapError, open_provider, parse_iv_hex
from symbolon.keys import parse_key_hex as parse_key
from symbolon.settings import Settings

SECRET = bytes(range(100, 132))
MASTER = "c0ffee" * 10 + "beef"


def shown(error: BaseException) -> str:
    """Everything that a log, a screen, `--json` or a pickle of an error may show."""
    texts = [str(error), repr(error), *traceback.format_exception(error)]
    if isinstance(error, SymbolonError):
        texts += [str(error.as_dict()), repr(pickle.dumps(error))]
    return "\n".join(texts)


@given(
    st.text("0123456789abcdefABCDEF", min_size=12, max_size=70), st.sampled_from(["", "\\x", "0X"]), st.text(max_size=3)
)
def test_no_refusal_repeats_a_key(digits, prefix, tail):
    for parse, sizes in ((parse_key, (32, 48, 64)), (parse_iv_hex, (32,))):
        bare = digits + tail.strip()
        if set(bare) <= set("0123456789abcdefABCDEF") and len(bare) in sizes:
            assert parse(prefix + digits + tail) == bytes.fromhex(bare)
            continue
        with pytest.raises(KeyInvalid) as error:
            parse(prefix + digits + tail)
        assert digits not in shown(error.value)


@given(st.binary(min_size=1, max_size=48), st.text(max_size=20), st.integers(0, 10_000), st.integers(1, 255))
def test_a_changed_byte_never_opens(key, context, place, change):
    provider = LocalKeyProvider(given=MASTER)
    wrapped = provider.wrap(key, context)
    assert provider.unwrap(wrapped, context) == key
    at = place % len(wrapped)
    broken = wrapped[:at] + bytes([wrapped[at] ^ change]) + wrapped[at + 1 :]
    for sealed, bound in (
        (broken, context),
        (wrapped, context + "x"),
        (wrapped[:at], context),
        (wrapped + b"x", context),
    ):
        with pytest.raises(WrapError) as error:
            provider.unwrap(sealed, bound)
        assert error.value.__cause__ is None
        text = shown(error.value)
        assert MASTER not in text
        assert len(key) < 8 or key.hex() not in text


@given(st.text("0123456789abcdefABCDEFg", min_size=12, max_size=80))
def test_a_malformed_master_key_is_not_shown(text):
    assume(len(text) != 64 or "g" in text)
    with pytest.raises(MasterKeyError) as error:
        LocalKeyProvider(given=text).wrap(SECRET, "c")
    assert text not in shown(error.value)


def test_a_provider_shows_where_and_not_what(tmp_path):
    assert MASTER not in repr(LocalKeyProvider(given=MASTER))
    assert str(tmp_path) in repr(LocalKeyProvider(tmp_path / "k"))


def test_key_and_iv_are_wrapped_as_one(tmp_path):
    provider = open_provider(Settings(project=tmp_path), {})
    wrapped = provider.wrap(SECRET + bytes(16), "source:1:1")
    assert (tmp_path / "keys" / "master.key").is_file()
    assert provider.unwrap(wrapped, "source:1:1") == SECRET + bytes(16)
    assert provider.name == "local"


@pytest.mark.parametrize("name", ["elsewhere.key", "/abs/olute.key"])
def test_the_settings_may_name_the_file(tmp_path, name):
    where = str(tmp_path / name.lstrip("/")) if name.startswith("/") else name
    open_provider(Settings(project=tmp_path, master_key=where), {}).wrap(SECRET, "c")
    path = tmp_path / where
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_directory_is_no_master_key(tmp_path):
    (tmp_path / "master.key").mkdir()
    with pytest.raises(MasterKeyError, match="cannot be read"):
        LocalKeyProvider(tmp_path / "master.key").unwrap(b"x" * 40, "c")


def test_a_master_key_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(MasterKeyError):
        LocalKeyProvider(tmp_path / "file" / "master.key").wrap(SECRET, "c")
    full = OSError(28, "No space left on device")
    with patch.object(os, "fsync", side_effect=full), pytest.raises(MasterKeyError, match="No space left"):
        LocalKeyProvider(tmp_path / "new" / "master.key").wrap(SECRET, "c")
    assert list((tmp_path / "new").iterdir()) == []


def test_checking_makes_no_key(tmp_path):
    provider = LocalKeyProvider(tmp_path / "keys" / "master.key")
    with pytest.raises(MasterKeyError, match="missing"):
        provider.check()
    assert not (tmp_path / "keys").exists()
    provider.wrap(SECRET, "c")
    provider.check()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666, 0o601])
def test_no_other_user_may_touch_the_master_key(tmp_path, mode):
    path = tmp_path / "master.key"
    provider = LocalKeyProvider(path)
    provider.wrap(SECRET, "c")
    path.chmod(mode)
    with pytest.raises(MasterKeyError, match=f"{mode:04o}") as error:
        provider.wrap(SECRET, "c")
    assert f"chmod 600 {path}" in error.value.hint
    assert path.read_text().strip() not in shown(error.value)


def test_two_first_wraps_at_once_share_one_master_key(tmp_path):
    path = tmp_path / "keys" / "master.key"
    start = threading.Barrier(8)
    sealed = []

    def wrap() -> None:
        provider = LocalKeyProvider(path)
        start.wait()
        sealed.append(provider.wrap(SECRET, "c"))

    threads = [threading.Thread(target=wrap) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [LocalKeyProvider(path).unwrap(one, "c") for one in sealed] == [SECRET] * 8
    assert [entry.name for entry in Path(path.parent).iterdir()] == ["master.key"]
