"""AES-CBC of many short values: our columns beside a loop of the `cryptography` package, in one run.

    python -m benchmarks.bench_aes [--rows 1000000] [--budget 20]

Both decrypt the same AES-256 addresses on one thread; the loop does a tenth of them and is scaled. The kernel is what
the loop does (ciphertext in, plaintext out); the other lines add what an import does around it. Exits with 1 if the
kernel is less than `--budget` times as fast as the loop.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import sys
import time
from typing import TYPE_CHECKING

import pyarrow as pa
from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from symbolon.columns import borders
from symbolon.ids import IdSpec, encrypt, match_keys
from symbolon.ids.aes import decrypt
from symbolon.records import Encoding, Kind, Protection

if TYPE_CHECKING:
    from collections.abc import Callable

KEY, IV = bytes(range(32)), bytes(range(16))
#: rows of one batch, as files hand them over
BATCH = 131_072
REPEATS = 3


def loop(values: list[bytes]) -> list[bytes]:
    """Decrypt one value at a time."""
    algorithm, mode, pkcs7 = algorithms.AES(KEY), modes.CBC(IV), padding.PKCS7(128)
    plain = []
    for value in values:
        opener, unpadder = Cipher(algorithm, mode).decryptor(), pkcs7.unpadder()
        plain.append(unpadder.update(opener.update(value) + opener.finalize()) + unpadder.finalize())
    return plain


def batches(column: pa.Array) -> list[pa.Array]:
    return [column[start : start + BATCH] for start in range(0, len(column), BATCH)]


def best(work: Callable[[], object]) -> float:
    """Give the CPU seconds of the best of a few runs: other people's work on this machine does not count."""
    seconds = []
    for _ in range(REPEATS):
        started = time.thread_time()
        work()
        seconds.append(time.thread_time() - started)
    return min(seconds)


def keys_of(values: list[bytes], spec: IdSpec) -> Callable[[], object]:
    parts = batches(pa.array(values, pa.binary()))
    return lambda: [match_keys(part, spec) for part in parts]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--budget", type=float, default=20.0, help="times the loop that the kernel must reach; 0 = any")
    options = parser.parse_args()
    rows: int = options.rows
    plain = [f"person.{number}@example{number % 97}.com".encode() for number in range(rows)]
    sealed = pa.concat_arrays([encrypt(part, KEY, IV) for part in batches(pa.array(plain, pa.binary()))])
    wire = sealed.to_pylist()
    few = wire[: max(1, rows // 10)]
    assert loop(few) == plain[: len(few)]
    parts = [borders(part) for part in batches(sealed)]
    assert pa.concat_arrays([decrypt(*part, KEY, IV)[0] for part in parts]).to_pylist() == plain

    aes = IdSpec(protection=Protection.AES_CBC, field="email", key=KEY, iv=IV, is_address=True)
    aes64 = IdSpec(protection=Protection.AES_CBC, field="email", key=KEY, iv=IV, encoding=Encoding.BASE64)
    hashed = IdSpec(protection=Protection.SHA256, field="email")
    digests = [hashlib.sha256(value).hexdigest().encode() for value in plain]
    visitors = [b"%019d%019d" % (number * 7919, number * 104_729) for number in range(rows)]
    reference = best(lambda: loop(few)) * rows / len(few)
    kernel = best(lambda: [decrypt(*part, KEY, IV) for part in parts])
    figures = [
        ("loop of `cryptography`", reference),
        ("AES kernel", kernel),
        ("encrypted in hex -> match keys, address checked", best(keys_of([one.hex().encode() for one in wire], aes))),
        ("encrypted in base64 -> match keys", best(keys_of([base64.b64encode(one) for one in wire], aes64))),
        ("plain address -> match keys", best(keys_of(plain, IdSpec(field="email")))),
        ("SHA-256 in hex -> match keys", best(keys_of(digests, hashed))),
        ("visitor ID -> match keys", best(keys_of(visitors, IdSpec(kind=Kind.VISITOR)))),
    ]
    print(f"| {rows:,} values, one thread | CPU seconds | million a second | times the loop |\n|---|---:|---:|---:|")
    for name, seconds in figures:
        print(f"| {name} | {seconds:.3f} | {rows / seconds / 1e6:.2f} | {reference / seconds:.1f} |")
    return 0 if reference / kernel >= options.budget else 1


if __name__ == "__main__":
    sys.exit(main())
