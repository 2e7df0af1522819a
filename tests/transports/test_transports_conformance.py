"""Every transport does what the suite says: a folder, a real SSH server, an S3 endpoint, and a folder below one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import s3server
import sftpserver
from s3server import endpoint
from sftpserver import server
from symbolon.testing import TransportConformance
from symbolon.transports import Below, open_transport

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from symbolon.transports import Transport

__all__ = ["endpoint", "server"]


class TestLocal(TransportConformance):
    @pytest.fixture
    def transport(self, tmp_path: Path) -> Transport:
        root = tmp_path / "root"
        root.mkdir()
        return open_transport(root.as_uri(), base=tmp_path)


class TestSftp(TransportConformance):
    @pytest.fixture
    def transport(self, tmp_path: Path, server: sftpserver.SshServer) -> Iterator[Transport]:
        root = tmp_path / "root"
        root.mkdir()
        opened = sftpserver.transport_to(server, root)
        yield opened
        opened.close()


class TestS3(TransportConformance):
    @pytest.fixture
    def transport(self, endpoint: s3server.Endpoint) -> Iterator[Transport]:
        opened = s3server.transport_to(endpoint, multipart_above=str(8 << 20), part_size=str(5 << 20))
        yield opened
        opened.close()


class TestBelow(TransportConformance):
    @pytest.fixture
    def transport(self, tmp_path: Path) -> Transport:
        (tmp_path / "root").mkdir()
        return Below(open_transport("root", base=tmp_path), "some/folder")
