"""Writes one delivery: lines in the wire format, in random order, whole or in parts, with their control file.

Invariant: what is written is described exactly (lines, other segments, removals, rejects by reason).
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from symbolon.demo.hostile import Shape, hostile, odd, overlong

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

#: of all wanted lines
HOSTILE_SHARE = 0.03
ODD_SHARE = 0.02


class Written(NamedTuple):
    """What a delivery holds."""

    paths: list[Path]
    lines: int
    other_segments: int
    removals: int
    rejected: dict[str, int]


class Segments(NamedTuple):
    """What follows the ID: on lines that name the wanted segment, on others, and on lines that take it out."""

    wanted: tuple[bytes, ...]
    other: tuple[bytes, ...] = ()
    removed: tuple[bytes, ...] = ()


def draw_lines(ids: pa.Array, tails: tuple[bytes, ...], shape: Shape, rng: np.random.Generator) -> pa.Array:
    """Give whole lines without their ends."""
    follow = pa.array([shape.separator + tail for tail in tails], pa.binary()).take(
        pa.array(rng.integers(0, len(tails), len(ids)))
    )
    return pc.binary_join_element_wise(ids.cast(pa.binary()), follow, b"")


def spoilt_lines(
    ids: pa.Array, shape: Shape, tail: bytes, rng: np.random.Generator
) -> tuple[list[bytes], dict[str, int]]:
    """Give one hostile line for each of the IDs, of every kind in turn, and how many are rejected for what."""
    ways = hostile(shape, rng)
    lines: list[bytes] = []
    rejected: dict[str, int] = {}
    for number, value in enumerate(ids.cast(pa.binary()).to_pylist()):
        reason, way = ways[number % len(ways)]
        lines.append(way(value, tail))
        rejected[reason] = rejected.get(reason, 0) + 1
    if lines and not shape.is_list:
        lines.append(overlong(ids[0].as_py().encode(), tail, shape.separator))
        rejected["line_too_long"] = 1
    return lines, rejected


def body(
    ids: pa.Array, others: pa.Array, removed: pa.Array, segments: Segments, shape: Shape, rng: np.random.Generator
) -> tuple[pa.Array, Written]:
    """Make all lines of a delivery, in random order.

    Args:
        ids: distinct IDs on the wire that name the wanted segment.
        others: IDs that only name other segments.
        removed: IDs that an incremental file takes out.
        segments: what follows an ID.
        shape: how the IDs look.
        rng: the one source of chance.
    """
    lines = draw_lines(ids, segments.wanted, shape, rng)
    # unusual but right: these replace lines, for the same ID may stand only once
    ways = odd(shape)
    places = rng.permutation(len(ids))[: int(len(ids) * ODD_SHARE)]
    tail = segments.wanted[0]
    texts = [ways[i % len(ways)](ids[int(place)].as_py().encode(), tail) for i, place in enumerate(places)]
    kept = np.delete(np.arange(len(ids)), places)
    bad, rejected = spoilt_lines(ids.take(pa.array(kept[: max(1, int(len(ids) * HOSTILE_SHARE))])), shape, tail, rng)
    parts = [
        lines.take(pa.array(kept)),
        pa.array(texts + bad, pa.binary()),
        draw_lines(others, segments.other or (b"",), shape, rng)[: len(others)],
        draw_lines(removed, segments.removed or (b"",), shape, rng)[: len(removed)],
    ]
    everything = pa.concat_arrays(parts)
    everything = everything.take(pa.array(rng.permutation(len(everything))))
    return everything, Written([], len(everything), len(others), len(removed), rejected)


def file_bytes(lines: pa.Array, *, header: bytes = b"", last_end: bool = True) -> bytes:
    """Put lines together."""
    text = header + b"\n".join(lines.to_pylist())
    return text + b"\n" if last_end and len(lines) else text


def write_file(path: Path, text: bytes) -> Path:
    """Write a file, compressed where its name says so; the same text gives the same bytes."""
    path.write_bytes(gzip.compress(text, 6, mtime=0) if path.suffix == ".gz" else text)
    return path


def write_parts(folder: Path, name: str, lines: pa.Array, parts: int, *, quoted: bool = True) -> list[Path]:
    """Write a segment file in `parts` files, with their control file.

    Args:
        folder: where to.
        name: `S3_46390_14016_full_1486140844000.sync.gz`; further parts get `001`, `002` behind the timestamp.
        lines: whole lines without ends.
        parts: how many files.
        quoted: strict JSON in the control file, or its keys without quotation marks, as the older publisher writes.
    """
    root, ending = name.split(".", 1)
    cuts = np.linspace(0, len(lines), parts + 1).astype(int)
    paths: list[Path] = []
    entries: list[dict[str, object]] = []
    for number, (start, stop) in enumerate(pairwise(cuts)):
        part = lines[int(start) : int(stop)]
        path = write_file(folder / f"{root}{f'{number:03}' if number else ''}.{ending}", file_bytes(part))
        data = path.read_bytes()
        paths.append(path)
        entries.append(
            {
                "FileByteSize": len(data),
                "FileLineCount": len(part),
                "FileName": path.name,
                "FileSequenceNumber": number + 1,
                "md5": hashlib.md5(data, usedforsecurity=False).hexdigest(),
            }
        )
    totals = {
        "FileName": f"{root}.sync",
        "TotalByteSize": sum(path.stat().st_size for path in paths),
        "TotalNumberFiles": parts,
        "TotalNumberLines": len(lines),
    }
    text = json.dumps({"Files": entries, "Totals": totals}, indent=2)
    if not quoted:
        text = re.sub(r'"(\w+)":', r"\1:", text)
    (folder / f"{root}.info").write_text(text + "\n", encoding="utf-8")
    return paths


def joined(parts: Sequence[pa.Array]) -> pa.Array:
    """Put columns of text one below the other."""
    return pa.concat_arrays([part.cast(pa.string()) for part in parts])
