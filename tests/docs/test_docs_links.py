"""The documentation holds together: links lead somewhere, the navigation names every page, every page is reached."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.rglob("*.md"), *ROOT.glob("*.md")])
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`[^`\n]*`")


def prose(page: Path) -> str:
    """Give a page's text without its code."""
    return INLINE.sub("", FENCE.sub("", page.read_text(encoding="utf-8")))


def anchors(page: Path) -> set[str]:
    """Give the anchors of a page's headings, as MkDocs makes them."""
    headings = re.findall(r"^#+ +(.+?)\s*$", FENCE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", heading).strip().lower()) for heading in headings}


def links(page: Path) -> list[str]:
    return [link for link in LINK.findall(prose(page)) if not re.match(r"[a-z]+:", link)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    for link in links(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{link} leads nowhere"
        if anchor and target.suffix == ".md":
            assert anchor in anchors(target), f"{link}: no such heading"


def navigation() -> set[str]:
    """Give the pages that mkdocs.yml names, without a YAML reader: the file is ours and plain."""
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").split("\nnav:", 1)[1]
    return set(re.findall(r"([\w./-]+\.md)", text.split("\n\n", 1)[0]))


def test_the_navigation_names_every_page() -> None:
    # one page an error code: the errors' own index lists them
    written = {page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md") if page.parent.name != "errors"}
    named = {page for page in navigation() if not page.startswith("errors/")}
    assert written == named


def test_the_index_of_errors_lists_every_page() -> None:
    spec = importlib.util.spec_from_file_location("errors_hook", DOCS / "_hooks" / "errors.py")
    assert spec is not None
    assert spec.loader is not None
    hook = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(hook)
    table = hook.table()
    for page in DOCS.glob("errors/*.md"):
        assert page.name == "index.md" or f"[`{page.stem}`]({page.name})" in table
    assert all(line.startswith("| ") and line.endswith(" |") for line in table.splitlines()[2:])
