"""Transports by name: kept, changed, opened by name, folder, URL or path; secrets wrapped, and bound to their place."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

import s3server
import sftpserver
import symbolon
from s3server import endpoint
from sftpserver import server
from symbolon.errors import UnknownNameError
from symbolon.keys import WrapError
from symbolon.records import DefinitionKind
from symbolon.sharing.transports import Secret, Transports
from symbolon.store import NameTaken
from symbolon.transports import HostKeyUnknown, NameRefused, TransportInvalid

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["endpoint", "server"]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Any]:
    with symbolon.init(tmp_path / "shop") as project:
        yield project


@pytest.fixture
def transports(opened: Any) -> Transports:
    return Transports(store=opened.store, keys=opened.keys, settings=opened.settings)


def test_a_transport_is_kept_changed_and_deleted(transports: Transports) -> None:
    added = transports.add("inbox", "./in", {"mode": "640"})
    assert (added.name, added.version, added.kind, added.options) == ("inbox", 1, "file", {"mode": "640"})
    assert transports.show("inbox") == added
    with pytest.raises(NameTaken):
        transports.add("inbox", "./other")
    changed = transports.edit("inbox", url="./other", options={"mode": ""})
    assert (changed.version, changed.url, changed.options) == (2, "./other", {})
    assert transports.list() == [changed]
    with pytest.raises(UnknownNameError, match="inbox"):
        transports.show("inbxo")
    transports.delete("inbox")
    assert transports.list() == []


def test_what_is_saved_opens(transports: Transports) -> None:
    for name, url, options in (
        ("x/y", "./in", {}),
        ("", "./in", {}),
        ("x", "ftp://host/x", {}),
        ("x", "./in", {"mod": "640"}),
        ("x", "sftp://u:pw@h/x", {}),
    ):
        with pytest.raises(TransportInvalid):
            transports.add(name, url, options)
    with pytest.raises(HostKeyUnknown):
        transports.add("x", "sftp://u@h/x", {}, {"password": "canary"})
    transports.add("x", "./in")
    with pytest.raises(TransportInvalid):
        transports.edit("x", options={"mode": "9"})
    assert [one.version for one in transports.list()] == [1]


def test_opening_by_name_folder_path_and_url(transports: Transports, opened: Any, tmp_path: Path) -> None:
    transports.add("inbox", "./in")
    (tmp_path / "file").write_bytes(b"x")
    transports.open("inbox/partner/a").put(tmp_path / "file", "x.sync")
    assert (opened.settings.project / "in/partner/a/x.sync").exists()
    assert [one.name for one in transports.open("inbox").list()] == ["partner/a/x.sync"]
    assert [one.name for one in transports.open("inbox/partner/").list()] == ["a/x.sync"]
    folder = (opened.settings.project / "in" / "partner").as_uri()
    for place, base in ((folder, None), ("./in/partner", None), ("partner/", opened.settings.project / "in")):
        assert [one.name for one in transports.open(place, base=base).list()] == ["a/x.sync"]
    assert [one.name for one in transports.open("in").list()] == ["partner/a/x.sync"]  # a folder that is there
    with pytest.raises(UnknownNameError, match="inbox"):
        transports.open("inbix")
    with pytest.raises(NameRefused):
        transports.open("inbox/../..")
    with pytest.raises(TransportInvalid):
        transports.open("gopher://x/y")


def test_a_real_server_by_its_name(transports: Transports, server: sftpserver.SshServer, tmp_path: Path) -> None:
    (tmp_path / "remote").mkdir()
    url = server.url(tmp_path / "remote")
    key, fingerprint = transports.host_key(url)
    assert key in server.host_keys.values()
    assert fingerprint.startswith("SHA256:")
    defined = transports.add("partner", url, {"host_key": key}, server.secret)
    assert defined.secrets == ["private_key"]
    assert [probe.passed for probe in transports.test("partner")] == [True] * 4
    # a URL below a defined one is opened with what that one knows; beside it, it is not
    assert [probe.passed for probe in transports.test(f"{url}/deeper")] == [True] * 4
    assert [(probe.step, probe.passed) for probe in transports.test(server.url("/elsewhere"))] == [("open", False)]
    assert [(probe.step, probe.passed) for probe in transports.test(f"{url}-other")] == [("open", False)]


def test_a_real_bucket_by_its_name(transports: Transports, endpoint: s3server.Endpoint) -> None:
    defined = transports.add("cloud", endpoint.prefix(), endpoint.options, endpoint.secret)
    assert defined.secrets == ["access_key_id", "secret_access_key"]
    assert [probe.passed for probe in transports.test("cloud/below")] == [True] * 4


def test_a_secret_is_wrapped_bound_and_never_shown(transports: Transports, opened: Any) -> None:
    secret = {"access_key_id": "CANARYID", "secret_access_key": "canary-secret"}
    transports.add("one", "s3://bucket/one", {"region": "eu-west-3"}, secret)
    transports.add("two", "s3://bucket/two", {}, {"access_key_id": "x", "secret_access_key": "y"})
    store = opened.store
    for one in store.definitions(DefinitionKind.TRANSPORT):
        assert b"anary" not in one.body.encode() + one.secret
        assert "CANARY" not in one.body
    assert "canary" not in repr(transports.show("one")).lower()
    assert "canary" not in repr(Secret(secret)).lower()
    # the version is part of what binds it: it is wrapped anew with each
    edited = transports.edit("one", options={"region": "eu-west-1"})
    assert edited.version == 2
    assert transports.open("one")._settings.secret_access_key == "canary-secret"  # noqa: S105  # type: ignore[attr-defined]
    # moved to another name, it does not open
    stolen = store.definition(DefinitionKind.TRANSPORT, "one").secret
    two = store.definition(DefinitionKind.TRANSPORT, "two")
    store.put_definition(msgspec.structs.replace(two, secret=stolen), base=1)
    with pytest.raises(WrapError) as caught:
        transports.open("two")
    assert "canary" not in "".join(traceback.format_exception(caught.value)).lower()
    assert [(probe.step, probe.passed) for probe in transports.test("two")] == [("open", False)]


def test_a_secret_does_not_go_along_to_another_place(transports: Transports) -> None:
    secret = {"access_key_id": "x", "secret_access_key": "y"}
    transports.add("one", "s3://bucket/one", {}, secret)
    for change in ({"url": "s3://other/one"}, {"options": {"endpoint_url": "https://elsewhere.example"}}):
        with pytest.raises(TransportInvalid, match="go along"):
            transports.edit("one", **change)  # type: ignore[arg-type]
    assert transports.edit("one", url="s3://bucket/two").version == 2
    assert transports.edit("one", url="s3://other/one", secret=secret).secrets
    assert transports.edit("one", url="s3://third/one", secret={}).secrets == []


def test_a_url_in_another_place_gets_no_secret_of_ours(transports: Transports) -> None:
    """What covers a URL is compared whole part by whole part."""
    transports.add("one", "s3://bucket/one", {}, {"access_key_id": "canary", "secret_access_key": "y"})
    assert transports.open("s3://bucket/one/x")._whole._settings.access_key_id == "canary"  # type: ignore[attr-defined]
    for url in ("s3://bucket/one-more", "s3://bucket", "s3://bucket2/one", "s3://Bucket/one"):
        assert transports.open(url)._settings.access_key_id == ""  # type: ignore[attr-defined]
    with pytest.raises(NameRefused):
        transports.open("s3://bucket/one/../two")


def test_a_test_is_told_at_once(transports: Transports) -> None:
    """Who tests a transport does not wait for five attempts; who uses it does."""
    transports.add(
        "one",
        "s3://bucket/one",
        {"endpoint_url": "http://127.0.0.1:9"},
        {"access_key_id": "x", "secret_access_key": "y"},
    )
    assert transports.open("one")._retrying.attempts == 5  # type: ignore[attr-defined]
    assert transports._open("one/x", transports._base, {"attempts": "1"})._whole._retrying.attempts == 1  # type: ignore[attr-defined]
    probes = transports.test("one")
    assert [(probe.step, probe.passed) for probe in probes] == [("list", False)]
    assert "transport.unreachable" in probes[0].detail
