"""Ibis's compilers come one by one, and behave as if they had come together."""

from __future__ import annotations

import subprocess
import sys

import pytest

START = """
import sys
from symbolon.lake.dialects import load_one_by_one
load_one_by_one()
"""


def told(script: str) -> str:
    """Run a script in a process that has no Ibis yet; give what it prints."""
    done = subprocess.run([sys.executable, "-c", START + script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_backend_loads_its_own_compiler_only():
    found = told(
        "import duckdb, ibis\n"
        "one = ibis.duckdb.from_connection(duckdb.connect())\n"
        "print(duckdb.sql(one.compile(ibis.literal(41) + 1)).fetchall()[0][0])\n"
        "print([name for name in sys.modules if name.startswith('ibis.backends.sql.compilers.')"
        " and name.rpartition('.')[2] in ('duckdb', 'trino', 'snowflake')])\n"
    )
    assert found.splitlines() == ["42", "['ibis.backends.sql.compilers.duckdb']"]


@pytest.mark.parametrize(
    "script",
    [
        "from ibis.backends.sql.compilers import TrinoCompiler as Found",
        "import ibis.backends.sql.compilers as sc; Found = sc.TrinoCompiler",
        "import ibis.backends.sql.compilers as sc; sc.duckdb; Found = sc.trino.TrinoCompiler",
        (
            "import ibis; ibis.to_sql(ibis.table({'a': 'int'}, 't'), dialect='trino'); "
            "from ibis.backends.sql.compilers.trino import TrinoCompiler as Found"
        ),
    ],
)
def test_what_else_is_asked_for_is_found(script):
    assert told(f"{script}\nprint(Found.__name__)") == "TrinoCompiler"


def test_what_is_not_there_is_told_as_ever():
    found = told(
        "import ibis.backends.sql.compilers as sc\n"
        "try: sc.nonsense\n"
        "except AttributeError as error: print(error)\n"
        "print(len(sc.__all__) > 15, sc.DuckDBCompiler.__name__)\n"
    )
    assert found.splitlines() == [
        "module 'ibis.backends.sql.compilers' has no attribute 'nonsense'",
        "True DuckDBCompiler",
    ]


def test_a_package_that_is_loaded_stays():
    script = "import ibis.backends.sql.compilers as sc\nfrom symbolon.lake.dialects import load_one_by_one\n"
    script += "before = vars(sc).copy()\nload_one_by_one()\nprint(vars(sc) == before, '__getattr__' in before)\n"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "False"]
