"""From a dropped file to members that can be seen, with a worker running: a folder, SFTP, S3.

    python -m benchmarks.bench_arrival [--rows 100000]

The servers are those of the tests: OpenSSH on loopback, and moto's S3. The worker is a process of its own.
"""

from __future__ import annotations

import argparse
import contextlib
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import symbolon
from benchmarks import bench_import, data
from symbolon.technical import Feed

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))
LIMIT_S = 60.0


@contextlib.contextmanager
def places(folder: Path) -> Iterator[dict[str, tuple[str, dict[str, str], dict[str, str]]]]:
    """Start the servers; give URL, options and secret by name."""
    from moto.server import ThreadedMotoServer  # noqa: PLC0415

    from s3server import Endpoint  # type: ignore[import-not-found]  # noqa: PLC0415
    from sftpserver import running  # type: ignore[import-not-found]  # noqa: PLC0415

    found: dict[str, tuple[str, dict[str, str], dict[str, str]]] = {"folder": (str(folder / "drop"), {}, {})}
    (folder / "drop").mkdir()
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(running())
        (folder / "sftp").mkdir()
        found["SFTP"] = (server.url(folder / "sftp"), server.options, server.secret)
        moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        moto.start()
        stack.callback(moto.stop)
        host, port = moto.get_host_and_port()
        endpoint = Endpoint(f"http://{host}:{port}", "bench")
        endpoint.client().create_bucket(Bucket="bench")
        found["S3"] = ("s3://bench/in", endpoint.options, endpoint.secret)
        yield found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000)
    rows = parser.parse_args().rows
    incoming = data.hashed(rows, 1_000_000)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "project"
        shutil.copytree(bench_import.prepare(1_000_000), folder)
        symbolon.init(folder).close()
        with places(Path(place)) as found, symbolon.open(folder) as project:
            for name, (url, options, secret) in found.items():
                project.transports.add(name, url, options, secret)
                project.feeds.add(Feed(name=name, transport=name, source="hashed", segment=data.SEGMENT, audience=name))
            worker = subprocess.Popen([sys.executable, "-m", "symbolon.cli", "--project", str(folder), "worker", "-q"])
            try:
                time.sleep(8)  # it looks already
                for name in found:
                    with contextlib.closing(project.transports.open(name)) as transport:
                        transport.put(incoming, incoming.name)
                    dropped = time.perf_counter()
                    members = 0
                    while not members and time.perf_counter() - dropped < LIMIT_S:
                        time.sleep(0.05)
                        seen = [one for one in project.store.audiences() if one.name == name]
                        members = seen[0].members if seen else 0
                    print(f"{name}: {members:,} members after {time.perf_counter() - dropped:.1f} s", flush=True)
            finally:
                worker.terminate()
                worker.wait(timeout=30)


if __name__ == "__main__":
    main()
