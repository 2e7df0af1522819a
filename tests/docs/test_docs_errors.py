"""Every error code has a page, every page has a code, and every error can be mended, pickled and read."""

from __future__ import annotations

import importlib
import pickle
import pkgutil
import re
from pathlib import Path

import pytest

import symbolon
from symbolon.errors import SymbolonError

PAGES = Path(__file__).parents[2] / "docs" / "errors"
FAMILIES = "symbolon.errors"


def every_class() -> list[type[SymbolonError]]:
    """Import every module of the package and give all error classes that a room defines."""
    for module in pkgutil.walk_packages(symbolon.__path__, "symbolon."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    found: set[type[SymbolonError]] = set()
    waiting: list[type[SymbolonError]] = [SymbolonError]
    while waiting:
        for cls in waiting.pop().__subclasses__():
            if cls not in found and cls.__module__.startswith("symbolon."):
                found.add(cls)
                waiting.append(cls)
    return sorted(found, key=lambda cls: (cls.code, cls.__name__))


CLASSES = every_class()
# a family is what others derive from; only these two of them are raised themselves
LEAVES = [cls for cls in CLASSES if cls.__module__ != FAMILIES or cls.code in {"name.unknown", "internal"}]
CODES = {cls.code for cls in CLASSES}


def pages() -> list[Path]:
    return sorted(path for path in PAGES.glob("*.md") if path.name != "index.md")


@pytest.mark.parametrize("cls", LEAVES, ids=lambda cls: f"{cls.code}-{cls.__name__}")
def test_every_code_has_a_page(cls: type[SymbolonError]) -> None:
    page = PAGES / f"{cls.code}.md"
    assert page.is_file(), f"write docs/errors/{cls.code}.md: what it means, an example, how to mend it"
    text = page.read_text(encoding="utf-8")
    assert text.startswith(f"# {cls.code}\n"), "the title is the code"
    assert f"error[{cls.code}]" in text, "an example of the message belongs on the page"
    assert 6 <= len(text.splitlines()) <= 60


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.stem)
def test_every_page_has_a_code(page: Path) -> None:
    assert page.stem in CODES


@pytest.mark.parametrize("cls", LEAVES, ids=lambda cls: f"{cls.code}-{cls.__name__}")
def test_every_class_says_what_it_means_and_travels(cls: type[SymbolonError]) -> None:
    assert cls.__doc__, "the docstring says what it means"
    assert re.fullmatch(r"[a-z]+(\.[a-z_]+)?", cls.code)
    error = cls("something happened", hint="mend it", details={"limit": 3})
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert (type(again), str(again), again.as_dict()) == (cls, str(error), error.as_dict())


def test_a_code_means_one_thing() -> None:
    kinds: dict[str, set[int]] = {}
    for cls in LEAVES:
        kinds.setdefault(cls.code, set()).add(cls.exit_code)
    assert {code: exits for code, exits in kinds.items() if len(exits) > 1} == {}
