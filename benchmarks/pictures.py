"""Pictures of figures for the documentation: readable on white and on black, the same bytes for the same figures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl
from matplotlib import pyplot as plt

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from benchmarks.measure import Figure

IMAGES = Path(__file__).parents[1] / "docs" / "images"
#: between black and white, so that it can be read on both
_GREY, _OURS, _OTHERS = "#808890", "#0f9d8a", "#8f9bb3"


def _styled() -> None:
    mpl.use("svg")
    mpl.rcParams.update(
        {
            "svg.hashsalt": "symbolon", "svg.fonttype": "path", "font.size": 9, "text.color": _GREY,
            "axes.labelcolor": _GREY, "axes.edgecolor": _GREY, "xtick.color": _GREY, "ytick.color": _GREY,
            "axes.titlecolor": _GREY, "axes.titlesize": 10, "figure.facecolor": "none", "axes.facecolor": "none",
            "savefig.transparent": True, "axes.spines.top": False, "axes.spines.right": False,
        }
    )  # fmt: skip


def _save(figure: plt.Figure, name: str) -> None:
    IMAGES.mkdir(exist_ok=True)
    figure.savefig(IMAGES / name, metadata={"Date": None, "Creator": None})
    plt.close(figure)


def bars(sizes: Mapping[str, Sequence[Figure]], name: str) -> None:
    """Draw CPU seconds and seconds of each figure: a row of panels for each size."""
    _styled()
    count = max(len(figures) for figures in sizes.values())
    figure, panels = plt.subplots(
        len(sizes), 2, figsize=(9, (0.6 + 0.27 * count) * len(sizes)), layout="constrained", squeeze=False
    )
    for row, (title, figures) in zip(panels, sizes.items(), strict=True):
        ordered = sorted(figures, key=lambda one: one.cpu_seconds, reverse=True)
        for panel, what, values in (
            (row[0], "CPU seconds", [one.cpu_seconds for one in ordered]),
            (row[1], "seconds", [one.seconds for one in ordered]),
        ):
            colours = [_OURS if one.name.startswith("Symbolon") else _OTHERS for one in ordered]
            drawn = panel.barh([one.name for one in ordered], values, color=colours)
            panel.bar_label(drawn, fmt="%.1f", padding=3, color=_GREY, fontsize=8)
            panel.set_title(f"{title}: {what}", loc="left")
            panel.margins(x=0.12)
        row[1].set_yticklabels([])
    _save(figure, name)


def curves(lines: Mapping[str, Sequence[tuple[int, Figure]]], name: str) -> None:
    """Draw seconds, CPU seconds and peak memory against rows, both axes logarithmic."""
    _styled()
    figure, panels = plt.subplots(1, 3, figsize=(9, 3), layout="constrained")
    measures: list[tuple[str, Callable[[Figure], float]]] = [
        ("seconds", lambda one: one.seconds),
        ("CPU seconds", lambda one: one.cpu_seconds),
        ("peak GiB", lambda one: one.peak_mib / 1024),
    ]
    for panel, (what, of) in zip(panels, measures, strict=True):
        for label, points in lines.items():
            colour = _OURS if label.startswith("Symbolon") else _OTHERS
            rows = [size / 1e6 for size, _ in points]
            panel.plot(rows, [of(one) for _, one in points], marker="o", color=colour, label=label)
        panel.set_xscale("log")
        panel.set_yscale("log")
        ticks = [size / 1e6 for size, _ in next(iter(lines.values()))]
        panel.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        panel.minorticks_off()
        panel.yaxis.set_major_formatter(mpl.ticker.FormatStrFormatter("%g"))
        panel.set_title(what, loc="left")
        panel.set_xlabel("million IDs against as many profiles")
    panels[0].legend(frameon=False, labelcolor=_GREY)
    _save(figure, name)
