"""Measuring in a process of its own: wall seconds, CPU seconds, and the peak of resident memory."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Figure:
    """What one run cost."""

    name: str
    seconds: float
    cpu_seconds: float
    peak_mib: float
    output: dict[str, object]


def measure(name: str, module: str, arguments: Sequence[str]) -> Figure:
    """Run `python -m module arguments` and watch it; its last line on stdout may be a JSON object."""
    started = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", module, *arguments], stdout=subprocess.PIPE)
    watched = psutil.Process(process.pid)
    peak = cpu = 0.0
    while process.poll() is None:
        try:
            peak = max(peak, watched.memory_info().rss / 2**20)
            times = watched.cpu_times()
            cpu = max(cpu, times.user + times.system)
        except psutil.NoSuchProcess:
            break
        time.sleep(0.02)
    seconds = time.perf_counter() - started
    assert process.stdout is not None
    text = process.stdout.read().decode()
    if process.wait() != 0:
        raise SystemExit(f"{name} failed")
    lines = text.strip().splitlines()
    return Figure(name, seconds, cpu, peak, json.loads(lines[-1]) if lines else {})


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
