"""`notimpl` and `never`: what a subclass of a suite cannot do is said with its reason, and only there."""

from __future__ import annotations

from pathlib import Path

import pytest

from symbolon.testing import Conformance, EngineConformance, StoreConformance, never, notimpl

pytest_plugins = ["pytester"]

SUITE = """
    import pytest
    from symbolon.testing import Conformance, never, notimpl

    class Suite(Conformance):
        @pytest.fixture
        def number(self): return 1

        def test_one(self, number): assert number == 1
        def test_two(self, number): assert number == 2
        @pytest.mark.parametrize("more", [0, 1])
        def test_many(self, number, more, *, extra=0): assert number + more == 1 + extra
"""


def outcomes(pytester: pytest.Pytester, classes: str) -> dict[str, int]:
    pytester.makepyfile(SUITE + classes)
    return pytester.runpytest_inprocess("-p", "no:randomly", "-p", "no:cacheprovider").parseoutcomes()


def test_what_is_to_be_done_fails_as_expected(pytester: pytest.Pytester) -> None:
    done = outcomes(pytester, """
    class TestMine(Suite):
        exceptions = {"test_two": notimpl("counts to one only"), "test_many": never("no sums here")}
    """)  # fmt: skip
    assert done == {"passed": 1, "xfailed": 1, "skipped": 2}


def test_what_was_done_meanwhile_is_told(pytester: pytest.Pytester) -> None:
    done = outcomes(pytester, """
    class TestMine(Suite):
        exceptions = {"test_one": notimpl("not yet"), "test_two": never("x"), "test_many": never("x")}
    """)  # fmt: skip
    assert done == {"failed": 1, "skipped": 3}


def test_the_suite_and_its_other_subclasses_are_left_alone(pytester: pytest.Pytester) -> None:
    done = outcomes(pytester, """
    class TestMine(Suite):
        exceptions = {name: never("x") for name in ("test_one", "test_two", "test_many")}

    class TestFurther(TestMine):
        exceptions = {}

    class TestOther(Suite):
        pass
    """)  # fmt: skip
    assert done == {"skipped": 8, "passed": 2, "failed": 2}


def test_reasons_are_shown(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(SUITE + """
    class TestMine(Suite):
        exceptions = {"test_one": never("it has no one"), "test_two": notimpl("nor a two yet")}
    """)  # fmt: skip
    shown = pytester.runpytest_inprocess("-rsx", "-p", "no:cacheprovider")
    shown.stdout.fnmatch_lines_random(["*it has no one*", "*nor a two yet*"])


@pytest.mark.parametrize("suite", [EngineConformance, StoreConformance])
@pytest.mark.parametrize("name", ["test_nothing", "exceptions", "audience", "__init_subclass__"])
def test_a_name_that_the_suite_does_not_have(suite: type[Conformance], name: str) -> None:
    with pytest.raises(TypeError, match=name):
        type("TestMine", (suite,), {"exceptions": {name: never("x")}})


@pytest.mark.parametrize("mark", [never, notimpl])
def test_an_exception_without_a_reason(mark) -> None:
    with pytest.raises(ValueError, match="reason"):
        mark(" ")


def test_the_suites_functions_are_not_marked() -> None:
    before = StoreConformance.test_runs
    mine = type("Mine", (StoreConformance,), {"exceptions": {"test_runs": never("x")}})
    assert StoreConformance.test_runs is before
    assert not hasattr(before, "pytestmark")
    assert [mark.name for mark in mine.test_runs.pytestmark] == ["skip"]
    assert Path(mine.test_runs.__code__.co_filename).name == "stores_work.py"
