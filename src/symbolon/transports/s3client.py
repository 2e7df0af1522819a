"""The SDK for S3: a client made of options, and what it raises told as faults of ours.

Source: Amazon S3 API Reference, "Error responses"; botocore's configuration reference.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import msgspec

from symbolon.transports.errors import (
    RemoteChanged,
    RemoteMissing,
    RootMissing,
    TransportDenied,
    TransportFull,
    TransportMissing,
    TransportRefused,
    TransportUnreachable,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

#: what is worth another try; besides every answer of 500 and above
_PASSING = {
    "SlowDown", "Throttling", "ThrottlingException", "RequestTimeout", "RequestLimitExceeded", "OperationAborted",
    "ConditionalRequestConflict", "TooManyRequests",
}  # fmt: skip
_MISSING = {"NoSuchKey", "404", "NotFound", "NoSuchVersion"}
_DENIED = {
    "AccessDenied": "it is not allowed",
    "AllAccessDisabled": "all access is disabled",
    "InvalidAccessKeyId": "the access key is not known there",
    "SignatureDoesNotMatch": "the secret access key is wrong",
    "ExpiredToken": "the session has expired",
    "InvalidToken": "the session token is wrong",
    "AccountProblem": "the account has a problem",
    "403": "it is not allowed",
    "401": "it is not allowed",
}


class S3Settings(msgspec.Struct, frozen=True, kw_only=True):
    """How the SDK reaches a bucket. The secret is not shown."""

    endpoint_url: str = ""
    region: str = ""
    #: `path` or `virtual`; empty = `path` at an endpoint of one's own
    addressing: str = ""
    access_key_id: str = ""
    secret_access_key: str = ""
    session_token: str = ""
    connect_timeout_s: int = 10
    read_timeout_s: int = 60

    def __repr__(self) -> str:
        return f"S3Settings(endpoint_url={self.endpoint_url!r}, region={self.region!r})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("endpoint_url", self.endpoint_url), ("region", self.region)]


def make_client(settings: S3Settings) -> Any:
    """Make a client of the SDK, which may be used from several threads.

    Raises:
        TransportMissing: boto3 is not installed.
    """
    try:
        import boto3  # type: ignore[import-untyped]  # noqa: PLC0415 - an extra, and heavy
        from botocore.config import Config  # type: ignore[import-untyped]  # noqa: PLC0415
    except ImportError:
        raise TransportMissing("S3 needs the package boto3", hint="uv add 'symbolon[s3]'") from None
    own = bool(settings.endpoint_url)
    config = Config(
        signature_version="s3v4",
        # our own pauses (retrying.py) are the only ones: two kinds would multiply
        retries={"total_max_attempts": 1, "mode": "standard"},
        s3={"addressing_style": settings.addressing or ("path" if own else "auto")},
        connect_timeout=settings.connect_timeout_s,
        read_timeout=settings.read_timeout_s,
        # endpoints of others do not all know the trailing checksums; SigV4 signs what is sent either way
        request_checksum_calculation="when_required" if own else "when_supported",
        response_checksum_validation="when_required" if own else "when_supported",
    )
    with told():
        # a session of its own: the default one is shared by whoever else uses boto3 in this process, and is not safe
        # to make clients from in several threads
        return boto3.session.Session().client(
            "s3",
            endpoint_url=settings.endpoint_url or None,
            region_name=settings.region or ("us-east-1" if own else None),
            aws_access_key_id=settings.access_key_id or None,
            aws_secret_access_key=settings.secret_access_key or None,
            aws_session_token=settings.session_token or None,
            config=config,
        )


@contextlib.contextmanager
def told(name: str = "") -> Iterator[None]:
    """Give what the SDK raises as a fault of a transport; its own text, which may hold a key's id, is left out."""
    from botocore.exceptions import (  # type: ignore[import-untyped]  # noqa: PLC0415 - an extra
        BotoCoreError,
        ClientError,
        ConnectionError,  # noqa: A004
        CredentialRetrievalError,
        HTTPClientError,
        IncompleteReadError,
        NoCredentialsError,
        PartialCredentialsError,
        ResponseStreamingError,
        TokenRetrievalError,
    )

    try:
        yield
    except ClientError as error:
        raise _answered(error.response, name) from None
    except (NoCredentialsError, PartialCredentialsError, CredentialRetrievalError, TokenRetrievalError):
        raise TransportDenied(
            "the SDK found no credentials for S3",
            hint="give --access-key-id and --secret-file, or set up the SDK's own chain (environment, profile, role)",
        ) from None
    except (ConnectionError, HTTPClientError, IncompleteReadError, ResponseStreamingError) as error:
        raise TransportUnreachable(
            f"the S3 endpoint does not answer, or the connection broke ({type(error).__name__})",
            hint="check endpoint_url and the network, then run the same command again",
        ) from None
    except BotoCoreError as error:
        raise TransportRefused(f"the SDK for S3 refuses it ({type(error).__name__})") from None


def code_of(error: Exception) -> str:
    """Give the code of an error of the SDK; empty if it has none."""
    response = getattr(error, "response", None) or {}
    return str(response.get("Error", {}).get("Code", ""))


def _answered(response: Any, name: str) -> Exception:  # noqa: PLR0911 - a table, one row a line
    code = str(response.get("Error", {}).get("Code", ""))
    status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) or 0)
    facts = {"answer": code, "status": status}
    if code == "NoSuchBucket":
        return RootMissing("there is no such bucket", details=facts)
    if code in ("RequestTimeTooSkewed", "RequestExpired"):
        return TransportDenied("the clocks differ too much", hint="set the clock of this machine", details=facts)
    if code in _MISSING or (status == 404 and not code):
        return RemoteMissing(f"there is no file `{name}`", details=facts)
    if code in ("PreconditionFailed", "412", "NotModified", "304", "InvalidRange", "416"):
        return RemoteChanged(f"`{name}` is not the file that was listed any more", details=facts)
    if code in _PASSING or (status >= 500 and status not in (501, 507)) or status == 429:
        return TransportUnreachable(f"the S3 endpoint is too busy or failed ({code or status})", details=facts)
    if code in _DENIED or status in (401, 403):
        reason = _DENIED.get(code, "it is not allowed")
        return TransportDenied(f"the S3 endpoint refuses it: {reason}", details=facts)
    if code in ("QuotaExceeded", "InsufficientStorage", "XMinioStorageFull") or status == 507:
        return TransportFull("there is no space left at the S3 endpoint", details=facts)
    if status in (301, 307, 400) and code in ("PermanentRedirect", "301", "AuthorizationHeaderMalformed", "Redirect",
                                              "IllegalLocationConstraintException"):  # fmt: skip
        return TransportRefused("the bucket is in another region", hint="give --option region=REGION", details=facts)
    return TransportRefused(f"the S3 endpoint refuses it ({code or status})", details=facts)
