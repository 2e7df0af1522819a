r"""Runs the console examples of a Markdown page and compares what they print with what the page shows.

A block that opens with three backticks and `console` is a session: lines that start with `$ ` are commands (one that
ends in a backslash goes on in the next line), everything up to the next command is their output. All blocks of a page
run in one empty folder, in order, with `symbolon` on PATH. In the shown output

- `...` stands for anything, also for several lines when it stands alone;
- seconds (`0.42 s`) and other durations may differ;
- runs of spaces and of the lines of a table's frame count as one: column widths follow the numbers.

A block of the language `shell-session` looks the same and is only shown. A command may end in `# exit 2`, the code it
should end with.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

BLOCK = re.compile(r"^```console[ \t]*\n(?P<body>.*?)^```[ \t]*$", re.MULTILINE | re.DOTALL)
EXIT = re.compile(r"\s+# exit (\d+)$")
DURATION = re.compile(r"\b\d+(?:[.,]\d+)? ?(?:ms|s|seconds?)\b|(?<=\"seconds\": )[\d.e-]+|\b\d+:\d\d:\d\d\b")
FRAME = re.compile(r"[─━═┄╌-]{3,}")


@dataclass
class Example:
    """One command, what the page says it prints, and where the page says so."""

    command: str
    shown: list[str] = field(default_factory=list)
    exit_code: int = 0
    line: int = 0


def examples(markdown: str) -> list[Example]:
    """Give the commands of a page's console blocks, in order."""
    found: list[Example] = []
    for block in BLOCK.finditer(markdown):
        first = markdown.count("\n", 0, block.start("body")) + 1
        found.extend(session(block["body"], first))
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
    return re.sub(r"\s+", " ", FRAME.sub("-", DURATION.sub("0 s", line))).strip()


def matches(shown: list[str], printed: list[str]) -> bool:
    """Tell whether the printed lines are the shown ones, with `...` for anything."""
    wanted = [plain(line) for line in shown if line.strip()]
    got = "\n".join(plain(line) for line in printed if line.strip()) + "\n"
    pattern = "".join(
        r"(?:[^\n]*\n)*" if line == "..." else re.escape(line).replace(re.escape("..."), r"[^\n]*") + r"\n"
        for line in wanted
    )
    return re.fullmatch(pattern, got if wanted or got != "\n" else "") is not None


def run_page(page: Path, folder: Path, *, timeout_s: float = 300) -> int:
    """Run all console examples of `page` in `folder`; give their number.

    Raises:
        AssertionError: a command ended with another code, or printed something else than the page shows.
    """
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "NO_COLOR": "1",
        "COLUMNS": "120",
        "LC_ALL": "C.UTF-8",
    }
    environment.pop("SYMBOLON_PROJECT", None)
    todo = examples(page.read_text(encoding="utf-8"))
    here = folder
    for example in todo:
        if step := re.fullmatch(r"cd (\S+)", example.command):
            here = (here / step[1]).resolve()
            continue
        done = subprocess.run(
            ["sh", "-c", example.command],
            cwd=here, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, timeout=timeout_s, check=False,
        )  # fmt: skip
        place = f"{page.name}:{example.line}: $ {example.command}"
        assert done.returncode == example.exit_code, f"{place}\nended with {done.returncode}:\n{done.stdout}"
        assert matches(example.shown, done.stdout.splitlines()), (
            f"{place}\nthe page shows:\n" + "\n".join(example.shown) + f"\nbut it printed:\n{done.stdout}"
        )
    return len(todo)
