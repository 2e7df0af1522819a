"""An S3 endpoint for tests: moto's server in this process, or a real one that environment variables name.

For a real one: SYMBOLON_TEST_S3_ENDPOINT (its URL), SYMBOLON_TEST_S3_BUCKET, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY,
and SYMBOLON_TEST_S3_REGION where it has regions. Each test works below a prefix of its own.

A suite imports the fixture it needs: `from s3server import endpoint`.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

VARIABLE = "SYMBOLON_TEST_S3_ENDPOINT"


@dataclass(frozen=True)
class Endpoint:
    """An endpoint with a bucket."""

    url: str
    bucket: str
    region: str = "us-east-1"
    secret: dict[str, str] = field(
        default_factory=lambda: {"access_key_id": "AKIATESTTESTTEST", "secret_access_key": "canary-secret-of-s3"}
    )
    #: whether it is moto's, which checks no signature
    is_moto: bool = True

    @property
    def options(self) -> dict[str, str]:
        """Give the options of a transport to this endpoint."""
        return {"endpoint_url": self.url, "region": self.region}

    def prefix(self) -> str:
        """Give a URL below which there is nothing."""
        return f"s3://{self.bucket}/test-{secrets.token_hex(6)}"

    def client(self) -> Any:
        """Give the SDK's own client."""
        return boto3.session.Session().client(
            "s3", endpoint_url=self.url, region_name=self.region, aws_access_key_id=self.secret["access_key_id"],
            aws_secret_access_key=self.secret["secret_access_key"],
        )  # fmt: skip


@pytest.fixture(scope="session")
def endpoint() -> Iterator[Endpoint]:
    """An endpoint for all tests of this process."""
    if given := os.environ.get(VARIABLE):
        secret = {
            "access_key_id": os.environ["AWS_ACCESS_KEY_ID"],
            "secret_access_key": os.environ["AWS_SECRET_ACCESS_KEY"],
        }
        region = os.environ.get("SYMBOLON_TEST_S3_REGION", "us-east-1")
        yield Endpoint(given, os.environ["SYMBOLON_TEST_S3_BUCKET"], region, secret, is_moto=False)
        return
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    own = Endpoint(f"http://{host}:{port}", "symbolon-test")
    own.client().create_bucket(Bucket=own.bucket)
    yield own
    server.stop()


def transport_to(endpoint: Endpoint, url: str = "", **options: Any) -> Any:
    """Open a transport below a prefix of its own, or at a URL."""
    from symbolon.transports import open_transport

    return open_transport(url or endpoint.prefix(), {**endpoint.options, **options}, endpoint.secret, base=Path("/"))
