"""Lists every error page on `errors/index.md` when the documentation is built, so that the list cannot go stale."""

from __future__ import annotations

from pathlib import Path
from typing import Any

PAGES = Path(__file__).parents[1] / "errors"


def first_sentence(page: Path) -> str:
    """Give what the page says first, below its title."""
    paragraphs = [part.strip() for part in page.read_text(encoding="utf-8").split("\n\n")[1:]]
    return next(part for part in paragraphs if part).replace("\n", " ").split(". ")[0].rstrip(".") + "."


def table() -> str:
    """Give the table of all codes."""
    pages = sorted(path for path in PAGES.glob("*.md") if path.name != "index.md")
    rows = [f"| [`{page.stem}`]({page.name}) | {first_sentence(page)} |" for page in pages]
    return "\n".join(["| code | meaning |", "|---|---|", *rows])


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    """Put the table behind the index's own text."""
    return f"{markdown}\n\n{table()}\n" if page.file.src_uri == "errors/index.md" else markdown
