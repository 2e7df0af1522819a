"""Measuring in a process of its own: wall seconds, CPU seconds, and the peak of resident memory, children included."""

from __future__ import annotations

import compileall
import json
import os
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

import symbolon

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_TURN_S = 0.02
#: an installed package comes with its bytecode; a checkout has it only where Python may write beside the sources
_SOURCES = Path(symbolon.__file__).parent


@dataclass(frozen=True, slots=True)
class Figure:
    """What one run cost."""

    name: str
    seconds: float
    cpu_seconds: float
    peak_mib: float
    output: dict[str, object]


def measure(name: str, module: str, arguments: Sequence[str], environment: Mapping[str, str] | None = None) -> Figure:
    """Run `python -m module arguments` and watch it; its last line on stdout may be a JSON object."""
    compileall.compile_dir(_SOURCES, quiet=1)
    os.sync()  # else who flushes pays for what the one before left to be written
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        stdout=subprocess.PIPE, env=None if environment is None else dict(environment),
    )  # fmt: skip
    watched = psutil.Process(process.pid)
    peak = 0.0
    spent: dict[int, float] = {}
    while process.poll() is None:
        resident = 0.0
        try:
            family = [watched, *watched.children(recursive=True)]
        except psutil.NoSuchProcess:
            break
        for one in family:
            try:
                resident += one.memory_info().rss / 2**20
                times = one.cpu_times()
            except psutil.Error:
                continue
            spent[one.pid] = max(spent.get(one.pid, 0.0), times.user + times.system)
        peak = max(peak, resident)
        time.sleep(_TURN_S)
    seconds = time.perf_counter() - started
    assert process.stdout is not None
    text = process.stdout.read().decode()
    if process.wait() != 0:
        raise SystemExit(f"{name} failed")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    # exact for whom somebody waited; what was seen counts for a Java that nobody waits for
    waited = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    lines = text.strip().splitlines()
    return Figure(name, seconds, max(waited, sum(spent.values())), peak, json.loads(lines[-1]) if lines else {})


def table(figures: Sequence[Figure], base: str) -> str:
    """Render figures as a Markdown table with the ratio to `base`."""
    reference = next(figure for figure in figures if figure.name == base)
    lines = ["| what | seconds | CPU seconds | peak MiB | ratio |", "|---|---:|---:|---:|---:|"]
    lines += [
        f"| {one.name} | {one.seconds:.2f} | {one.cpu_seconds:.2f} | {one.peak_mib:,.0f} | "
        f"{one.seconds / reference.seconds:.2f} |"
        for one in figures
    ]
    return "\n".join(lines)
