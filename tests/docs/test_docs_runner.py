"""The runner of the documentation's console examples sees what it should see."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from runner import examples, matches, run_page

PAGE = """# A page

```console
$ printf 'a  1\\nb  2\\n'
a 1
b 2
$ mkdir -p inner && echo 'done in 0.31 s' \\
    && true
done in 2.07 s
```

```shell-session
$ rm -rf everything
```

```console
$ cd inner
$ pwd
.../inner
$ sh -c 'exit 3' # exit 3
```
"""


def test_a_page_runs_in_its_folder(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE, encoding="utf-8")
    folder = tmp_path / "work"
    folder.mkdir()
    assert run_page(page, folder) == 5
    assert (folder / "inner").is_dir()


@pytest.mark.parametrize(
    ("was", "becomes", "complaint"),
    [("b 2", "b 3", "it printed"), ("exit 3'", "exit 4'", "ended with 4"), (".../inner", "...outer", "it printed")],
)
def test_a_page_that_is_wrong_fails(tmp_path: Path, was: str, becomes: str, complaint: str) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE.replace(was, becomes), encoding="utf-8")
    with pytest.raises(AssertionError, match=complaint):
        run_page(page, tmp_path)


def test_only_console_blocks_run() -> None:
    assert [example.line for example in examples(PAGE)] == [4, 7, 17, 18, 20]
    with pytest.raises(ValueError, match="without a command"):
        examples("```console\noutput\n```\n")


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        (["..."], [], True),
        (["..."], ["a", "b"], True),
        (["a", "...", "z"], ["a", "z"], True),
        (["a", "...", "z"], ["a", "b", "y"], False),
        ([], ["a"], False),
        (["a"], [], False),
        ([], [], True),
        (["───── 3 s"], ["───────── 0.5 s"], True),
        (["rows 30"], ["rows 31"], False),
    ],
)
def test_what_counts_as_the_same(shown: list[str], printed: list[str], *, same: bool) -> None:
    assert matches(shown, printed) is same
