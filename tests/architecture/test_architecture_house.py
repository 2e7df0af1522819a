"""The house keeps its shape: small files, the field's own words, no heavy import on the way to `--help`.

The storeys themselves are proved by `lint-imports` in `./run check`.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import symbolon

SOURCE = Path(symbolon.__file__).parent
MODULES = sorted(SOURCE.rglob("*.py"))

#: names that say nothing about what is inside
EMPTY_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "managers", "base", "misc", "shared", "stuff"}
#: word -> what this house says instead (docs/glossary.md)
OTHER_WORDS = {
    "cookie": "visitor ID",
    "customer": "profile",
    "datasource": "data source",
    "recipient": "profile",
    "subscriber": "profile",
    "uuid": "visitor ID",
}
#: libraries that cost more than a help text may
HEAVY = (
    "pyarrow",
    "duckdb",
    "ibis",
    "numpy",
    "sqlalchemy",
    "alembic",
    "deltalake",
    "cryptography",
    "pandas",
    "phonenumbers",
)


def relative(path: Path) -> str:
    return path.relative_to(SOURCE).as_posix()


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_no_file_is_longer_than_500_lines(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 500


def test_the_median_file_is_short() -> None:
    lengths = sorted(n for path in MODULES if (n := len(path.read_text(encoding="utf-8").splitlines())) > 20)
    assert lengths[len(lengths) // 2] <= 200


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_names_say_what_they_mean(path: Path) -> None:
    parts = path.relative_to(SOURCE).with_suffix("").parts
    assert not EMPTY_NAMES.intersection(parts), "a module is named for what it holds"
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            words = set(words_of(node.name))
            assert not words & OTHER_WORDS.keys(), (
                f"{node.name}: say {[OTHER_WORDS[w] for w in words & OTHER_WORDS.keys()]}"
            )
            if isinstance(node, ast.ClassDef):
                assert not words & EMPTY_NAMES, f"{node.name}: name what it does"


def words_of(name: str) -> list[str]:
    """Take a name apart: `FileSet` and `file_set` are `file`, `set`."""
    spaced = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
    return [word for word in spaced.split("_") if word]


@pytest.mark.parametrize("path", [path for path in MODULES if path.name == "__init__.py"], ids=relative)
def test_packages_only_hand_names_on(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    made = [node.name for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef)]
    # two doors import late, so that `import symbolon` and `--help` cost nothing
    doors = {"__init__.py": {"init", "open"}, "cli/__init__.py": {"main"}}
    assert set(made) <= doors.get(relative(path), set())


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_modules_say_what_they_are_for(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert not tree.body or ast.get_docstring(tree), "a module opens with what it is for"


@pytest.mark.parametrize("arguments", [["--help"], ["audience", "--help"], ["--version"]], ids=" ".join)
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    probe = (
        "import sys\n"
        "from symbolon.cli import main\n"
        f"try:\n    main({arguments!r})\n"
        "except SystemExit as ending:\n    assert not ending.code, ending.code\n"
        "print('HEAVY', *sorted(name for name in sys.modules if name in " + repr(HEAVY) + "))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, check=True, env={**os.environ, "NO_COLOR": "1"}
    )
    assert done.stdout.splitlines()[-1].split() == ["HEAVY"]
