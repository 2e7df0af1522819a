r"""Runs the examples of a Markdown page and compares what they print with what the page shows.

A block that opens with three backticks and `console` is a session: lines that start with `$ ` are commands (one that
ends in a backslash goes on in the next line), everything up to the next command is their output. All blocks of a page
run in one empty folder, in order, with `symbolon` on PATH. In the shown output

- `...` stands for anything, also for several lines when it stands alone;
- seconds (`0.42 s`) and other durations, and moments (`2026-11-23 14:47:12`), may differ;
- runs of spaces and of the lines of a table's frame count as one: column widths follow the numbers.

A block of the language `shell-session` looks the same and is only shown. A command may end in `# exit 2`, the code it
should end with. A comment that opens with `<!-- console` runs like a block and is not seen: it makes what a page needs.

Blocks of the language `python` run where they stand, all of a page as one program; a block `text` right below one is
what it prints.

`python tests/docs/runner.py PAGE...` writes what the commands print now into the pages, where it is not what they show.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

BLOCK = re.compile(
    r"^```console[ \t]*\n(?P<body>.*?)^```[ \t]*$"
    r"|^<!-- console[ \t]*\n(?P<hidden>.*?)^-->[ \t]*$"
    r"|^```python[ \t]*\n(?P<code>.*?)^```[ \t]*$(?:\n\n?```text[ \t]*\n(?P<text>.*?)^```[ \t]*$)?",
    re.MULTILINE | re.DOTALL,
)
EXIT = re.compile(r"\s+# exit (\d+)$")
MOMENT = re.compile(r"\b20\d\d-\d\d-\d\d \d\d:\d\d(?::\d\d)?\b")
DURATION = re.compile(r"\b\d+(?:[.,]\d+)? ?(?:ms|s|seconds?)\b|(?<=\"seconds\": )[\d.e-]+|\b\d+:\d\d:\d\d\b")
FRAME = re.compile(r"[─━═┄╌-]{3,}")


@dataclass
class Example:
    """One command, what the page says it prints, and where the page says so."""

    command: str
    shown: list[str] = field(default_factory=list)
    exit_code: int = 0
    line: int = 0
    code: str = ""


def examples(markdown: str) -> list[Example]:
    """Give the commands and the Python blocks of a page, in order."""
    found: list[Example] = []
    for block in BLOCK.finditer(markdown):
        if block["code"] is not None:
            line = markdown.count("\n", 0, block.start("code")) + 1
            found.append(Example("python", (block["text"] or "").splitlines(), line=line, code=block["code"]))
            continue
        body = "hidden" if block["body"] is None else "body"
        found.extend(session(block[body], markdown.count("\n", 0, block.start(body)) + 1))
    return found


def session(body: str, first: int) -> list[Example]:
    """Take one block apart."""
    found: list[Example] = []
    more = False
    for number, line in enumerate(body.splitlines(), start=first):
        if more:
            found[-1].command += "\n" + line
        elif line.startswith("$ "):
            found.append(Example(line[2:], line=number))
        elif found:
            found[-1].shown.append(line)
        elif line.strip():
            message = f"line {number}: output without a command"
            raise ValueError(message)
        more = (more or line.startswith("$ ")) and line.endswith("\\")
    for example in found:
        if ending := EXIT.search(example.command):
            example.exit_code = int(ending[1])
    return found


def plain(line: str) -> str:
    """Give a line without what may differ from one run to the next."""
    line = DURATION.sub("0 s", MOMENT.sub("2026-01-01 00:00", line))
    return re.sub(r"\s+", " ", FRAME.sub("-", line)).strip()


def matches(shown: list[str], printed: list[str]) -> bool:
    """Tell whether the printed lines are the shown ones, with `...` for anything."""
    wanted = [plain(line) for line in shown if line.strip()]
    got = "\n".join(plain(line) for line in printed if line.strip()) + "\n"
    pattern = "".join(
        r"(?:[^\n]*\n)*" if line == "..." else re.escape(line).replace(re.escape("..."), r"[^\n]*") + r"\n"
        for line in wanted
    )
    return re.fullmatch(pattern, got if wanted or got != "\n" else "") is not None


def surroundings(commands: Path | None = None) -> dict[str, str]:
    """Give the environment of all examples; `commands` is where another `symbolon` than the installed one is."""
    places = [str(commands)] if commands else []
    environment = {
        **os.environ,
        "PATH": os.pathsep.join([*places, str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
        "NO_COLOR": "1",
        "COLUMNS": "120",
        "LC_ALL": "C.UTF-8",
    }
    return {name: value for name, value in environment.items() if not name.startswith("SYMBOLON_")}


def run(
    todo: list[Example], folder: Path, *, timeout_s: float = 300, commands: Path | None = None
) -> list[tuple[int, str]]:
    """Run examples one after the other in `folder`; give exit code and output of each."""
    here = folder
    names: dict[str, object] = {"__name__": "__example__"}
    results: list[tuple[int, str]] = []
    for example in todo:
        if step := re.fullmatch(r"cd (\S+)", example.command):
            here = (here / step[1]).resolve()
            results.append((0, ""))
            continue
        if example.code:
            printed = io.StringIO()
            with contextlib.chdir(here), contextlib.redirect_stdout(printed):
                exec(compile(example.code, f"line {example.line}", "exec"), names)  # noqa: S102 - our own pages
            results.append((0, printed.getvalue()))
            continue
        done = subprocess.run(
            ["sh", "-c", example.command],
            cwd=here, env=surroundings(commands), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, timeout=timeout_s, check=False,
        )  # fmt: skip
        results.append((done.returncode, done.stdout.replace("\0", "␀")))  # pages are text
    return results


def run_page(page: Path, folder: Path, *, timeout_s: float = 300, commands: Path | None = None) -> int:
    """Run all examples of `page` in `folder`; give their number.

    Raises:
        AssertionError: a command ended with another code, or printed something else than the page shows.
    """
    todo = examples(page.read_text(encoding="utf-8"))
    for example, (code, output) in zip(todo, run(todo, folder, timeout_s=timeout_s, commands=commands), strict=True):
        place = f"{page.name}:{example.line}: $ {example.command}"
        assert code == example.exit_code, f"{place}\nended with {code}:\n{output}"
        assert matches(example.shown, output.splitlines()), (
            f"{place}\nthe page shows:\n" + "\n".join(example.shown) + f"\nbut it printed:\n{output}"
        )
    return len(todo)


def rewrite(page: Path, folder: Path) -> int:
    """Write into `page` what its examples print now, where that is not what it shows; give the number of changes."""
    lines = page.read_text(encoding="utf-8").splitlines()
    todo = examples(page.read_text(encoding="utf-8"))
    changed = 0
    done = list(zip(todo, run(todo, folder), strict=True))
    for example, (code, output) in reversed(done):  # from the end: what stands above keeps its line
        if code != example.exit_code:
            print(f"{page}:{example.line}: $ {example.command} ended with {code}\n{output}")
        if matches(example.shown, output.splitlines()):
            continue
        if example.code and not example.shown:
            print(f"{page}:{example.line}: a block prints, and no block `text` follows it")
            continue
        first = example.line + example.command.count("\n")
        if example.code:
            first = next(n for n in range(example.line, len(lines)) if lines[n].startswith("```text")) + 1
        lines[first : first + len(example.shown)] = output.splitlines()
        changed += 1
    page.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return changed


if __name__ == "__main__":
    for name in sys.argv[1:]:
        with tempfile.TemporaryDirectory() as folder:
            print(f"{name}: {rewrite(Path(name), Path(folder))} changed")
