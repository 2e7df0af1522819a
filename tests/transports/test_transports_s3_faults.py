"""S3 where the line breaks in the middle, answers are lost, and the endpoint refuses."""

from __future__ import annotations

import datetime as dt
import os
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from transport_relay import Relay

from s3server import Endpoint, endpoint, transport_to
from symbolon.transports import (
    RemoteChanged,
    RemoteExists,
    Retrying,
    RootMissing,
    SourceChanged,
    TransportDenied,
    TransportUnreachable,
    open_transport,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["endpoint"]
CONTENT = os.urandom(20_000_000)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source"
    path.write_bytes(CONTENT)
    return path


@pytest.fixture
def relay(endpoint: Endpoint) -> Iterator[Relay]:
    made = Relay(int(endpoint.url.rsplit(":", 1)[1].rstrip("/")))
    yield made
    made.close()


def quick(transport: Any, pauses: list[float] | None = None) -> Any:
    transport._retrying = Retrying(sleep=lambda pause: pauses.append(pause) if pauses is not None else None)
    return transport


def relayed(endpoint: Endpoint, relay: Relay, **options: str) -> Any:
    return quick(transport_to(endpoint, endpoint_url=f"http://127.0.0.1:{relay.port}", **options))


WHOLE = {"multipart_above": str(64 << 20)}
PARTS = {"multipart_above": str(6 << 20), "part_size": str(5 << 20)}


def uploads(endpoint: Endpoint) -> list[Any]:
    return endpoint.client().list_multipart_uploads(Bucket=endpoint.bucket).get("Uploads", [])


def test_a_large_put_goes_in_parts_and_only_the_broken_one_again(
    endpoint: Endpoint, relay: Relay, source: Path, tmp_path: Path
) -> None:
    transport = relayed(endpoint, relay, **PARTS)
    transport.list()
    relay.cuts = [4_000_000, 4_000_000]
    done = transport.put(source, "large")
    assert relay.cuts == []
    assert (done.size_bytes, done.fingerprint.rpartition("-")[2]) == (len(CONTENT), "4")
    assert relay.sent < len(CONTENT) + 2 * 5_500_000
    transport.fetch("large", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == CONTENT
    assert uploads(endpoint) == []


def test_a_broken_fetch_goes_on_where_it_broke(endpoint: Endpoint, relay: Relay, source: Path, tmp_path: Path) -> None:
    transport = relayed(endpoint, relay)
    listed = transport.put(source, "x")
    real, ranges = transport._client.get_object, []
    transport._client.get_object = lambda **request: ranges.append(request.get("Range")) or real(**request)
    relay.cuts = [12_000_000, 5_000_000]
    transport.fetch("x", tmp_path / "back", expected=listed)
    assert relay.cuts == []
    assert (tmp_path / "back").read_bytes() == CONTENT
    # what was on its way when the line was cut is lost; what had arrived is not asked for again
    assert ranges[0] is None
    begun = [int(one.removeprefix("bytes=").rstrip("-")) for one in ranges[1:]]
    assert len(begun) >= 2  # a slow machine may be cut off once more, by a timeout
    assert begun[0] > 0
    assert begun == sorted(begun)


def test_an_object_that_is_replaced_while_it_is_read(
    endpoint: Endpoint, relay: Relay, source: Path, tmp_path: Path
) -> None:
    transport = relayed(endpoint, relay)
    transport.put(source, "x")
    other = tmp_path / "other"
    other.write_bytes(CONTENT[::-1])
    direct = quick(open_transport(transport.place, endpoint.options, endpoint.secret, base=tmp_path))
    relay.cuts = [8_000_000]
    transport._retrying = Retrying(sleep=lambda _: direct.put(other, "x", overwrite=True))
    with pytest.raises(RemoteChanged):
        transport.fetch("x", tmp_path / "back")
    assert not (tmp_path / "back").exists()


def test_an_endpoint_that_stays_away(endpoint: Endpoint, source: Path, tmp_path: Path) -> None:
    relay = Relay(int(endpoint.url.rsplit(":", 1)[1].rstrip("/")))
    transport = relayed(endpoint, relay, **PARTS)
    transport.put(source, "x")
    relay.cuts = [0] * 1000
    with pytest.raises(TransportUnreachable):
        transport.fetch("x", tmp_path / "back")
    with pytest.raises(TransportUnreachable):
        transport.put(source, "y")
    assert [path.name for path in tmp_path.iterdir()] == ["source"]
    relay.close()
    direct = open_transport(transport.place, endpoint.options, endpoint.secret, base=tmp_path)
    assert [one.name for one in direct.list()] == ["x"]


@pytest.mark.parametrize("method", ["put_object", "complete_multipart_upload", "copy_object", "delete_object"])
def test_an_answer_is_lost(endpoint: Endpoint, tmp_path: Path, source: Path, method: str) -> None:
    """It was done, nobody was told, and it is tried again: it counts as done, not as somebody else's."""
    transport = quick(
        transport_to(endpoint, **(PARTS if method.startswith("complete") else {"multipart_above": str(32 << 20)}))
    )
    real, lost = getattr(transport._client, method), []

    def once(**request: Any) -> Any:
        answer = real(**request)
        if not lost:
            lost.append(1)
            from botocore.exceptions import ConnectionClosedError

            raise ConnectionClosedError(endpoint_url="x")
        return answer

    setattr(transport._client, method, once)
    transport.put(source, "x")
    transport.move("x", "y")
    assert lost
    assert [one.name for one in transport.list()] == ["y"]
    transport.fetch("y", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == CONTENT


@pytest.mark.parametrize("options", [WHOLE, PARTS], ids=["whole", "parts"])
def test_a_receiver_that_takes_objects_at_once(endpoint: Endpoint, source: Path, options: dict[str, str]) -> None:
    """The writing was answered: the object arrived, whoever has it by now."""
    transport = quick(transport_to(endpoint, **options))
    method = "complete_multipart_upload" if options is PARTS else "put_object"
    real = getattr(transport._client, method)

    def and_taken(**request: Any) -> Any:
        answer = real(**request)
        endpoint.client().delete_object(Bucket=request["Bucket"], Key=request["Key"])
        return answer

    setattr(transport._client, method, and_taken)
    done = transport.put(source, "x")
    assert (done.name, done.size_bytes) == ("x", len(CONTENT))
    assert transport.list() == []


def test_a_fault_says_whether_the_object_may_be_there(endpoint: Endpoint, relay: Relay, source: Path) -> None:
    transport = relayed(endpoint, relay, **WHOLE)
    relay.cuts = [0] * 1000  # not even asked for
    with pytest.raises(TransportUnreachable) as before:
        transport.put(source, "x")
    relay.cuts = []
    real = transport._client.put_object

    def lost(**request: Any) -> Any:
        real(**request)
        raise TransportUnreachable("lost")

    transport._client.put_object = lost
    transport._retrying = Retrying(attempts=1)
    with pytest.raises(TransportUnreachable) as after:
        transport.put(source, "x")
    with pytest.raises(RemoteExists) as exists:
        transport.put(source, "x")
    told = [one.value.may_have_arrived for one in (before, after, exists)]
    assert told == [False, True, False]


def test_somebody_else_was_first(endpoint: Endpoint, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The condition is the endpoint's: it holds even where our own look came too early."""
    for options in ({}, PARTS):
        transport = quick(transport_to(endpoint, **options))
        first = transport.put(source, "x")
        real = transport._head
        asked: list[str] = []
        monkeypatch.setattr(transport, "_head", lambda name: asked.append(name) or (real(name) if asked[1:] else None))  # noqa: B023
        with pytest.raises(RemoteExists):
            transport.put(source, "x")
        assert transport.stat("x") == first
    assert uploads(endpoint) == []


def test_what_every_object_is_made_with(endpoint: Endpoint, tmp_path: Path, source: Path) -> None:
    small = tmp_path / "small"
    small.write_bytes(b"x")
    key = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    transport = transport_to(endpoint, sse="aws:kms", sse_key_id=key, acl="bucket-owner-full-control", **PARTS)
    transport.put(small, "small")
    transport.put(source, "large")
    transport.move("small", "moved")
    prefix = transport.place.partition("//")[2].partition("/")[2]
    for name in ("moved", "large"):
        head = endpoint.client().head_object(Bucket=endpoint.bucket, Key=f"{prefix}/{name}")
        assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", key)


def test_many_pages(endpoint: Endpoint) -> None:
    transport = transport_to(endpoint)
    prefix = transport.place.partition("//")[2].partition("/")[2]
    client = endpoint.client()
    real = transport._client.list_objects_v2
    transport._client.list_objects_v2 = lambda **request: real(MaxKeys=20, **request)
    for number in range(130):
        client.put_object(Bucket=endpoint.bucket, Key=f"{prefix}/{number:04}.sync", Body=b"")
    for odd in ("folder/", "a//b", ".hidden", "back\\slash"):
        client.put_object(Bucket=endpoint.bucket, Key=f"{prefix}/{odd}", Body=b"")
    assert [one.name for one in transport.list()] == [f"{number:04}.sync" for number in range(130)]
    assert [one.name for one in transport.list(pattern="*9.sync", limit=2)] == ["0009.sync", "0019.sync"]


def test_an_unknown_bucket(endpoint: Endpoint, source: Path, tmp_path: Path) -> None:
    transport = transport_to(endpoint, "s3://no-such-bucket-of-symbolon/x")
    calls: list[Callable[[], object]] = [transport.list, lambda: transport.put(source, "x")]
    for call in calls:
        with pytest.raises(RootMissing):
            call()
    probes = transport.check()
    assert [(probe.step, probe.passed) for probe in probes] == [("list", False)]
    assert "bucket" in probes[0].mend


def test_wrong_credentials(endpoint: Endpoint, source: Path, tmp_path: Path) -> None:
    import traceback

    def authenticate(after: bytes) -> None:
        if endpoint.is_moto:  # which asks for no key before it is told to
            address, kind = f"{endpoint.url}/moto-api/reset-auth", {"Content-Type": "text/plain"}
            urllib.request.urlopen(urllib.request.Request(address, data=after, headers=kind))  # noqa: S310

    pauses: list[float] = []
    secret = {"access_key_id": "AKIACANARYCANARY", "secret_access_key": "canary-secret-access-key"}
    transport = quick(open_transport(f"s3://{endpoint.bucket}/x", endpoint.options, secret, base=tmp_path), pauses)
    authenticate(b"0")
    try:
        for call in (transport.list, lambda: transport.put(source, "x"), lambda: transport.stat("x")):
            with pytest.raises(TransportDenied) as caught:
                call()
            told = "".join(traceback.format_exception(caught.value)) + repr(caught.value.as_dict()) + repr(transport)
            assert "CANARY" not in told
            assert "canary" not in told
        assert pauses == []
        assert transport.check()[0].mend
    finally:
        authenticate(b"inf")


def test_without_credentials(endpoint: Endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("HOME", str(tmp_path))
    transport = open_transport(f"s3://{endpoint.bucket}/x", endpoint.options, None, base=tmp_path)
    with pytest.raises(TransportDenied, match="no credentials"):
        transport.list()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", endpoint.secret["access_key_id"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", endpoint.secret["secret_access_key"])
    chain = open_transport(f"{endpoint.prefix()}", endpoint.options, None, base=tmp_path)
    assert chain.list() == []


def test_our_file_changes_while_it_is_sent(endpoint: Endpoint, source: Path) -> None:
    transport = transport_to(endpoint, **PARTS)
    real = transport._client.upload_part

    def growing(**request: Any) -> Any:
        with source.open("ab") as file:
            file.write(b"more")
        return real(**request)

    transport._client.upload_part = growing
    with pytest.raises(SourceChanged):
        transport.put(source, "x")
    assert transport.stat("x") is None
    assert uploads(endpoint) == []


def test_times_are_utc(endpoint: Endpoint, source: Path) -> None:
    assert transport_to(endpoint).put(source, "x").modified.utcoffset() == dt.timedelta(0)
