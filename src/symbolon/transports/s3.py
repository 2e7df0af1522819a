"""Files below a prefix of an S3 bucket, at Amazon or at any endpoint that speaks its protocol.

Invariant: an object appears whole, by one request or by the completion of a multipart upload; that request is
conditional (`If-None-Match: *`) unless it may replace. Every reading after the first is bound to the ETag (`If-Match`).

Source: Amazon S3 User Guide, "Conditional requests" and "Uploading and copying objects using multipart upload".
"""

from __future__ import annotations

import contextlib
import secrets
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from symbolon.errors import TransportError
from symbolon.transports.copying import CHUNK, Placing, arriving, leaving, unchanged
from symbolon.transports.errors import (
    RemoteChanged,
    RemoteExists,
    RemoteMissing,
    TransportRefused,
    TransportUnreachable,
)
from symbolon.transports.paths import checked, checked_prefix, is_listed, joined, matches
from symbolon.transports.probing import probe
from symbolon.transports.retrying import Retrying
from symbolon.transports.s3client import S3Settings, make_client, told
from symbolon.transports.transport import RemoteFile

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import BinaryIO

    from symbolon.transports.transport import Probe

_Files = list[RemoteFile]
_Probes = list["Probe"]
_Parts = list[dict[str, Any]]
_MEBIBYTE = 1 << 20
_MOST_PARTS = 10_000
#: larger objects cannot be copied by one request
_LARGEST_COPY = 5 << 30
#: tells whether an object is the one this very call wrote, where the answer to it was lost
_MARK = "symbolon-put"


class S3Writing(msgspec.Struct, frozen=True, kw_only=True):
    """How objects are written."""

    #: `AES256`, `aws:kms`, or empty: as the bucket says
    sse: str = ""
    sse_key_id: str = ""
    #: a canned ACL such as `bucket-owner-full-control`
    acl: str = ""
    #: larger files go in parts; bytes, and also what is in memory at once
    multipart_above: int = 16 * _MEBIBYTE
    part_size: int = 16 * _MEBIBYTE
    #: whether the endpoint knows `If-None-Match` when it writes
    conditional: bool = True

    def wrapping(self) -> dict[str, str]:
        """Give what every new object is made with."""
        named = {"ServerSideEncryption": self.sse, "SSEKMSKeyId": self.sse_key_id, "ACL": self.acl}
        return {name: value for name, value in named.items() if value}


class S3Transport:
    """A bucket, or what is below a prefix of it.

    Args:
        bucket: its name.
        prefix: without `/` at either end; empty = the whole bucket.
        settings: how it is reached.
        writing: how objects are written.
        retrying: how often what may pass is tried again.
    """

    def __init__(
        self,
        bucket: str,
        prefix: str = "",
        *,
        settings: S3Settings,
        writing: S3Writing | None = None,
        retrying: Retrying | None = None,
    ) -> None:
        self._bucket = bucket
        self._prefix = prefix
        self._writing = writing or S3Writing()
        self._retrying = retrying or Retrying()
        self._settings = settings
        self._lock = threading.Lock()
        self._made: Any = None
        self.place = f"s3://{joined(bucket, prefix)}"

    def __repr__(self) -> str:
        return f"S3Transport({self.place})"

    def list(
        self, prefix: str = "", pattern: str = "*", *, limit: int = 100_000, without: tuple[str, ...] = ()
    ) -> _Files:
        """Give the files below a folder, page by page; the listing ends where `limit` is reached."""
        below = self._key(checked_prefix(prefix)) if prefix else self._prefix
        found: _Files = []
        token: str | None = None
        while len(found) < limit:
            more = {"ContinuationToken": token} if token else {}
            page = self._asked(
                "", lambda more=more: self._client.list_objects_v2(  # type: ignore[misc]
                    Bucket=self._bucket, Prefix=f"{below}/" if below else "", **more
                )
            )  # fmt: skip
            for one in page.get("Contents", ()):
                name = one["Key"][len(self._prefix) + 1 if self._prefix else 0 :]
                if is_listed(name) and matches(name, pattern, without) and len(found) < limit:
                    found.append(_remote(name, one["Size"], one))
            token = page.get("NextContinuationToken")
            if not page.get("IsTruncated") or not token:
                break
        return found

    def stat(self, name: str) -> RemoteFile | None:
        """Give one file; None if there is none."""
        head = self._head(checked(name))
        return _remote(name, head["ContentLength"], head) if head is not None else None

    def fetch(self, name: str, target: Path, *, expected: RemoteFile | None = None) -> RemoteFile:
        """Copy an object; a broken reading goes on where it broke, if the object is still the same."""
        checked(name)
        reading = _Reading(self._client, self._bucket, self._key(name), name, expected)
        with arriving(target) as file:
            self._retrying.run(lambda: reading.go_on(file), progress=lambda: reading.offset)
            assert reading.found is not None  # noqa: S101 - `go_on` came to its end
            now = self.stat(name)
            if now is None or now.fingerprint != reading.found.fingerprint:
                raise RemoteChanged(f"`{name}` changed while it was read")
        return reading.found

    def put(self, source: Path, name: str, *, overwrite: bool = False, is_spare: bool = False) -> RemoteFile:
        """Copy a local file to `name`, in parts where it is large."""
        del is_spare  # it has to travel
        checked(name)
        placing, mark = Placing(), secrets.token_hex(16)
        with placing.told(), leaving(source) as (file, size):
            # asked first: it saves the sending, and guards at endpoints that know no conditions
            if not overwrite and self._head(name) is not None:
                raise RemoteExists(f"`{name}` is there already")
            try:
                if size > self._writing.multipart_above:
                    etag = self._put_parts(file, size, name, mark, placing, overwrite=overwrite)
                else:
                    etag = self._put_whole(file, size, name, mark, placing, overwrite=overwrite)
            except RemoteChanged:  # the condition failed: somebody was first, or we were, and the answer was lost
                head = self._head(name)
                if head is None and placing.asked:
                    raise TransportUnreachable(f"whether `{name}` arrived is not known: it was taken away") from None
                if head is None or head.get("Metadata", {}).get(_MARK) != mark:
                    placing.asked = False
                    raise RemoteExists(f"`{name}` is there already") from None
                etag = head["ETag"]
        return self._placed(name, size, etag)

    def move(self, name: str, target: str) -> None:
        """Copy an object if it is still the same and the other name is free; then delete the first."""
        checked(target)
        head = self._head(checked(name))
        if head is None:
            raise RemoteMissing(f"there is no file `{name}`")
        if self._head(target) is not None:
            raise RemoteExists(f"`{target}` is there already")
        mark, etag = secrets.token_hex(16), head["ETag"]
        try:
            if head["ContentLength"] > _LARGEST_COPY:
                self._copy_parts(name, target, head, mark)
            else:
                self._asked(
                    target, lambda: self._client.copy_object(
                        Bucket=self._bucket, Key=self._key(target), MetadataDirective="REPLACE", Metadata={_MARK: mark},
                        CopySource={"Bucket": self._bucket, "Key": self._key(name)}, CopySourceIfMatch=etag,
                        **self._condition(overwrite=False), **self._writing.wrapping(),
                    )
                )  # fmt: skip
        except RemoteChanged:
            if not self._is_ours(target, mark):
                now = self._head(name)
                if now is None or now["ETag"] != etag:
                    raise RemoteChanged(f"`{name}` changed while it was moved") from None
                raise RemoteExists(f"`{target}` is there already") from None
        try:
            self._asked(
                name, lambda: self._client.delete_object(Bucket=self._bucket, Key=self._key(name), IfMatch=etag)
            )
        except RemoteMissing:
            pass  # gone already: an answer was lost
        except RemoteChanged:
            self.delete(target)
            raise RemoteChanged(f"`{name}` changed while it was moved") from None

    def delete(self, name: str) -> None:
        """Remove an object; one that is not there is no fault."""
        key = self._key(checked(name))
        with contextlib.suppress(RemoteMissing):
            self._asked(name, lambda: self._client.delete_object(Bucket=self._bucket, Key=key))

    def check(self) -> _Probes:
        """List, write, read and delete a probe object."""
        return probe(self)

    def close(self) -> None:
        """Let go of the connections."""
        with self._lock:
            made, self._made = self._made, None
        if made is not None:
            made.close()

    @property
    def _client(self) -> Any:
        with self._lock:
            if self._made is None:
                self._made = make_client(self._settings)
            return self._made

    def _key(self, name: str) -> str:
        return joined(self._prefix, name)

    def _asked(self, name: str, ask: Callable[[], Any]) -> Any:
        def once() -> Any:
            with told(name):
                return ask()

        return self._retrying.run(once)

    def _head(self, name: str) -> Any:
        try:
            return self._asked(name, lambda: self._client.head_object(Bucket=self._bucket, Key=self._key(name)))
        except RemoteMissing:
            return None

    def _placed(self, name: str, size: int, etag: str) -> RemoteFile:
        """Give an object that was put: the writing was answered, so it is there, or was and has been taken since."""
        with contextlib.suppress(TransportError):
            head = self._head(name)
            if head is not None and head["ETag"] == etag:
                return _remote(name, head["ContentLength"], head)
        return _remote(name, size, {"LastModified": datetime.now(UTC), "ETag": etag})

    def _is_ours(self, name: str, mark: str) -> bool:
        head = self._head(name)
        return head is not None and head.get("Metadata", {}).get(_MARK) == mark

    def _condition(self, *, overwrite: bool) -> dict[str, str]:
        return {} if overwrite or not self._writing.conditional else {"IfNoneMatch": "*"}

    def _put_whole(self, file: BinaryIO, size: int, name: str, mark: str, placing: Placing, *, overwrite: bool) -> str:
        """Write an object by one request; give its ETag."""
        data = file.read(size)
        unchanged(file, size, len(data))

        def once() -> Any:
            with placing.last_step(), told(name):
                return self._client.put_object(
                    Bucket=self._bucket, Key=self._key(name), Body=data, Metadata={_MARK: mark},
                    **self._condition(overwrite=overwrite), **self._writing.wrapping(),
                )  # fmt: skip

        return str(self._retrying.run(once)["ETag"])

    def _put_parts(self, file: BinaryIO, size: int, name: str, mark: str, placing: Placing, *, overwrite: bool) -> str:
        """Write an object by a multipart upload; give its ETag."""
        length = max(self._writing.part_size, -(-size // _MOST_PARTS))
        with self._upload(name, mark) as upload:
            parts: _Parts = []
            sent = 0
            # no more than was there at first: who writes to the file must not keep us for ever
            while data := file.read(min(length, size - sent)):
                parts.append(self._part(upload, len(parts) + 1, data))
                sent += len(data)
            unchanged(file, size, sent)
            return self._complete(upload, parts, placing, overwrite=overwrite)

    def _copy_parts(self, name: str, target: str, head: Any, mark: str) -> None:
        size, length = head["ContentLength"], max(_LARGEST_COPY // 10, -(-head["ContentLength"] // _MOST_PARTS))
        source = {"Bucket": self._bucket, "Key": self._key(name)}
        with self._upload(target, mark) as upload:
            parts: _Parts = []
            for start in range(0, size, length):
                span, number = f"bytes={start}-{min(start + length, size) - 1}", len(parts) + 1
                copied = self._asked(
                    name, lambda span=span, number=number: self._client.upload_part_copy(  # type: ignore[misc]
                        **upload, PartNumber=number, CopySource=source, CopySourceIfMatch=head["ETag"],
                        CopySourceRange=span,
                    )
                )  # fmt: skip
                parts.append({"PartNumber": number, "ETag": copied["CopyPartResult"]["ETag"]})
            self._complete(upload, parts, Placing(), overwrite=False)

    @contextlib.contextmanager
    def _upload(self, name: str, mark: str) -> Any:
        begun = self._asked(
            name, lambda: self._client.create_multipart_upload(
                Bucket=self._bucket, Key=self._key(name), Metadata={_MARK: mark}, **self._writing.wrapping()
            )
        )  # fmt: skip
        upload = {"Bucket": self._bucket, "Key": self._key(name), "UploadId": begun["UploadId"]}
        try:
            yield upload
        except BaseException:
            # parts that nobody completes are paid for; where this fails too, the bucket's own rule has to end them
            with contextlib.suppress(Exception):
                self._client.abort_multipart_upload(**upload)
            raise

    def _part(self, upload: dict[str, str], number: int, data: bytes) -> dict[str, Any]:
        answer = self._asked(
            upload["Key"], lambda: self._client.upload_part(**upload, PartNumber=number, Body=data)
        )  # fmt: skip
        return {"PartNumber": number, "ETag": answer["ETag"]}

    def _complete(self, upload: dict[str, str], parts: _Parts, placing: Placing, *, overwrite: bool) -> str:
        tries = 0

        def once() -> Any:
            nonlocal tries
            tries += 1
            with placing.last_step(), told(upload["Key"]):
                return self._client.complete_multipart_upload(
                    **upload, MultipartUpload={"Parts": parts}, **self._condition(overwrite=overwrite)
                )

        try:
            return str(self._retrying.run(once)["ETag"])
        except TransportRefused as error:
            if tries > 1 and error.details.get("answer") == "NoSuchUpload":  # done, and the answer was lost
                raise RemoteChanged("the upload is over") from None
            raise


class _Reading:
    """One object that is being read, over several attempts."""

    def __init__(self, client: Any, bucket: str, key: str, name: str, expected: RemoteFile | None) -> None:
        self._client = client
        self._request = {"Bucket": bucket, "Key": key}
        self._name = name
        self._etag = f'"{expected.fingerprint}"' if expected is not None else ""
        self.found: RemoteFile | None = None
        self.offset = 0

    def go_on(self, file: BinaryIO) -> None:
        if self.found is not None and self.offset == self.found.size_bytes:
            return
        request = dict(self._request)
        if self._etag:
            request["IfMatch"] = self._etag
        if self.offset:
            request["Range"] = f"bytes={self.offset}-"
        with told(self._name):
            answer = self._client.get_object(**request)
            if self.found is None:
                self._etag = answer["ETag"]
                self.found = _remote(self._name, answer["ContentLength"], answer)
            elif answer["ETag"] != self._etag:  # an endpoint that does not know If-Match
                raise RemoteChanged(f"`{self._name}` changed while it was read")
            if self.offset and not str(answer.get("ContentRange", "")).startswith(f"bytes {self.offset}-"):
                self.offset = 0  # an endpoint that does not know Range gives it from the beginning
            file.seek(self.offset)
            file.truncate()
            with contextlib.closing(answer["Body"]) as body:
                while data := body.read(CHUNK):
                    file.write(data)
                    self.offset += len(data)
        if self.offset != self.found.size_bytes:
            raise TransportUnreachable("the connection to the S3 endpoint ended before the file did")


def _remote(name: str, size: int, facts: Any) -> RemoteFile:
    return RemoteFile(
        name=name, size_bytes=size, modified=facts["LastModified"], fingerprint=str(facts["ETag"]).strip('"')
    )
