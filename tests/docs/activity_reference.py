"""Writes the guide page of every activity from its description: `python tests/docs/activity_reference.py`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from symbolon.targeting import known, options_of

if TYPE_CHECKING:
    from symbolon.targeting import Activity

FOLDER = Path(__file__).parents[2] / "docs" / "guide" / "activities"
_BRACES = re.compile(r"\{[^{}]*\}")
_CATEGORIES = {"targeting": "Targeting", "data": "Files and data", "channels": "Channels", "flow": "Flow"}


def page(kind: Activity) -> str:
    """Give the page of an activity as it should be."""
    takes = {"0": "none: it begins a workflow", "1": "one"}.get(str(kind.inputs), str(kind.inputs))
    facts = [f"`type: {kind.name}`", f"transitions that come in: {takes}"]
    if kind.effect:
        facts.append("changes something outside the run; done once, even when the run is resumed after a crash")
    lines = [f"# {kind.title}", "", kind.summary, "", *(f"- {fact}" for fact in facts), ""]
    options = options_of(kind)
    if options:
        lines += ["## Options", "", "| option | type | default | what it is |", "|---|---|---|---|"]
        for one in options:
            default = f"`{one.default}`" if one.default and one.default != "needed" else one.default
            # bare braces at the end of a cell would be taken for attributes of it, and left out
            kind_of = _BRACES.sub(r"`\g<0>`", one.type)
            lines.append(f"| `{one.name}` | {_cell(kind_of)} | {_cell(default)} | {_cell(one.description)} |")
        lines.append("")
    if kind.example:
        lines += ["## Example", "", "```yaml", *kind.example.strip("\n").splitlines(), "```", ""]
    if kind.notes:
        lines += [kind.notes.strip(), ""]
    return "\n".join(lines)


def index() -> str:
    """Give the page that lists all activities as it should be."""
    lines = [
        "# Activities",
        "",
        "What a [workflow](../workflows.md) is made of. `symbolon workflow activities TYPE` tells the same.",
        "Every activity has an `id` and a `type`; it may have `from`, `label`, `on_error`, `comment`, and `keep: true`",
        "to have its transitions kept with the run.",
    ]
    for category, title in _CATEGORIES.items():
        lines += ["", f"## {title}", "", "| activity | what it gives |", "|---|---|"]
        found = [kind for kind in known().values() if kind.category == category]
        lines += [f"| [{kind.title}]({kind.name}.md) | {_cell(kind.summary)} |" for kind in found]
    return "\n".join([*lines, ""])


def pages() -> dict[Path, str]:
    """Give all pages as they should be."""
    return {FOLDER / "index.md": index()} | {FOLDER / f"{kind.name}.md": page(kind) for kind in known().values()}


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
