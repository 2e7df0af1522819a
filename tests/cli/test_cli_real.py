"""The installed command as a process: exit codes, pipes, a terminal, Ctrl-C, the demo."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
from cli_shop import SEGMENT_FILE

COMMAND = str(Path(sys.executable).with_name("symbolon"))


def on_terminal(*arguments: str | Path, answer: bytes = b"", **environment: str) -> tuple[int, str]:
    """Run a command whose three streams are a terminal; give its exit code and what was on the screen."""
    process, terminal = pty.fork()
    if process == 0:
        os.execve(COMMAND, [COMMAND, *map(str, arguments)], {**os.environ, **environment})  # noqa: S606
    shown, sent, deadline = b"", False, time.monotonic() + 60
    while time.monotonic() < deadline:
        if not select.select([terminal], [], [], 1)[0]:
            continue
        try:
            part = os.read(terminal, 65536)
        except OSError:
            break
        if not part:
            break
        shown += part
        if answer and not sent and b"[y/N]" in shown:
            os.write(terminal, answer)
            sent = True
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), shown.decode("utf-8", "replace")


def test_init_import_and_read_by_processes(symbolon, shop, tmp_path):
    made = symbolon("init", tmp_path / "fresh", "--json")
    assert json.loads(made.out) == {"project": str(tmp_path / "fresh")}
    assert symbolon("--project", tmp_path / "fresh", "source", "list", "--json").out == "[]\n"
    assert symbolon("source", "list", "--json", SYMBOLON_PROJECT=str(tmp_path / "fresh")).out == "[]\n"
    nearer = symbolon("--project", tmp_path / "fresh", "source", "list", "--project", shop / "shop", "--json")
    assert len(json.loads(nearer.out)) == 4
    done = symbolon(
        "audience", "import", shop / "in" / SEGMENT_FILE, "--source", "crm-email", "--segment", "24", "--name", "vip"
    )
    assert (done.code, "\x1b" in done.out + done.err) == (0, False)
    wrong = symbolon("audience", "show", "vpi", "--json")
    assert (wrong.code, wrong.out) == (2, "")
    assert set(json.loads(wrong.err)) == {"error"}
    assert set(json.loads(wrong.err)["error"]) == {"code", "summary", "where", "hint", "details", "retryable"}


def test_values_are_read_without_a_validation_library():
    probe = (
        "import sys\n"
        "from symbolon.cli.entry import run\n"
        "assert run(['audience', 'import', 'f', '--source', 's', '--wait', '1', '--project', '/nowhere']) == 2\n"
        "print('LOADED', *sorted({'pydantic'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == ["LOADED"]
    assert "error[project.missing]" in done.stderr


def test_the_process_ends_at_once_and_leaves_nothing_undone(tmp_path):
    probe = (
        "import atexit, sys, threading, time\n"
        "from concurrent.futures import ThreadPoolExecutor\n"
        "from pathlib import Path\n"
        "from symbolon.cli import main\n"
        "class Freed:\n"
        "    def __del__(self): print('freed', flush=True)\n"
        "kept = Freed()\n"
        "def work():\n"
        "    time.sleep(0.3)\n"
        f"    Path({str(tmp_path / 'worked')!r}).touch()\n"
        "threading.Thread(target=work).start()\n"
        "ThreadPoolExecutor(1).submit(int)\n"
        "atexit.register(lambda: print('told'))\n"
        "sys.argv = ['symbolon', '--project', '/nowhere', 'source', 'list']\n"
        "print('begun')\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (2, "begun\ntold\n")
    assert (tmp_path / "worked").exists()


#: what none of these commands has a use for, and what takes long to load
HEAVY = ("pandas", "jinja2", "phonenumbers", "ibis.backends.sql.compilers.trino", "sqlglot.dialects.snowflake", "dbos")


@pytest.mark.parametrize(
    "command",
    [
        [
            "audience",
            "export",
            "all",
            "--source",
            "crm-email",
            "--segment",
            "24",
            "--to",
            "./out",
            "--format",
            "csv",
            "--mode",
            "sync",
        ],
        ["workflow", "preview", "few.yaml", "few", "--count"],
        ["audience", "count", "all"],
    ],
)
def test_what_is_often_asked_for_loads_nothing_heavy_in_vain(shop, cli, command):
    assert cli("audience", "create", "all", "--where", "external_id IS NOT NULL").code == 0
    Path("few.yaml").write_text("name: few\nactivities:\n  - {id: few, type: query, where: email IS NOT NULL}\n")
    probe = (
        "import sys\n"
        "class Seen:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name in {HEAVY!r}: print('LOADED', name, file=sys.stderr)\n"
        "sys.meta_path.insert(0, Seen())\n"
        "from symbolon.cli import main\n"
        f"sys.argv = {['symbolon', *command]!r}\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, "LOADED" in done.stderr) == (0, False), done.stderr


def test_a_pipe_that_closes_early_is_no_error(shop):
    shell = f"{COMMAND} profiles list --columns email --format csv | head -1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", shell], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout == "email\n"
    assert done.stderr == ""


def test_on_a_terminal_there_are_colours_and_tables(shop):
    arguments = [
        "audience",
        "import",
        shop / "in" / SEGMENT_FILE,
        "--source",
        "crm-email",
        "--segment",
        "24",
        "--name",
        "vip",
    ]
    code, shown = on_terminal(*arguments)
    assert code == 0
    assert "\x1b[1;32mvip is now version 1: 6 members" in shown
    assert "█" in shown
    code, shown = on_terminal("audience", "members", "vip", "--limit", "1", NO_COLOR="1")
    assert (code, "\x1b[3" in shown) == (0, False)
    assert "external_id" in shown
    code, shown = on_terminal("audience", "members", "vip", "--format", "parquet")
    assert (code, "error[command.output]" in re.sub(r"\x1b\[[0-9;]*m", "", shown)) == (2, True)


def test_a_terminal_is_asked_once(shop):
    arguments = [
        "audience",
        "import",
        shop / "in" / SEGMENT_FILE,
        "--source",
        "crm-email",
        "--segment",
        "24",
        "--name",
        "vip",
    ]
    subprocess.run([COMMAND, *map(str, arguments)], capture_output=True, timeout=60, check=True)
    code, shown = on_terminal("audience", "delete", "vip", answer=b"n\n")
    assert code == 2
    assert shown.count("[y/N]") == 1
    code, _ = on_terminal("audience", "delete", "vip", answer=b"y\n")
    assert code == 0


def test_ctrl_c_ends_with_130_and_the_old_state(shop):
    process = subprocess.Popen(
        [COMMAND, "audience", "import", "-", "--source", "numbers", "--name", "guests"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        # whoever runs the tests in the background has it ignored
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - no threads here
    )  # fmt: skip
    assert process.stdin is not None
    process.stdin.write(b"C1\n")
    process.stdin.flush()
    spool = shop / "shop" / "lake" / "attempts"
    deadline = time.monotonic() + 30
    while not list(spool.glob("*/stdin")) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=30) == 130
    assert b"interrupted" in process.stderr.read()
    assert list(spool.iterdir()) == []


@pytest.fixture(scope="module")
def demo_folder(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("demo") / "story"
    done = subprocess.run(
        [COMMAND, "demo", str(folder), "--profiles", "2000"], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return folder, done.stdout


def test_the_demo_tells_a_story(demo_folder, cli):
    folder, story = demo_folder
    assert "Meridian Air" in story
    assert "deliveries," in story
    assert story.count(" is now version ") >= 10
    audiences = json.loads(cli("audience", "list", "--json", "--project", folder).out)
    assert len(audiences) >= 9
    assert all(audience["members"] for audience in audiences)
    assert cli("doctor", "--project", folder).code == 0


def test_the_demo_counts_what_its_plan_knows(demo_folder, tmp_path):
    from symbolon.demo import make_demo

    folder, _ = demo_folder
    plan = make_demo(tmp_path, profiles=2000)
    import symbolon

    with symbolon.open(folder) as project:
        receipts = {
            (one.source, version.receipt.files[0], version.receipt.audience): version.receipt
            for one in [*plan.files]
            for version in project.audiences.versions(one.audience)
        }
    for file in plan.files:
        receipt = receipts[file.source, file.paths[0].name, file.audience]
        assert receipt.faults() == []
        assert (receipt.lines, receipt.other_segments, receipt.removals) == (
            file.lines,
            file.other_segments,
            file.removals,
        )
        assert receipt.rejected == file.rejected


def test_the_demo_repeats_and_touches_nothing_else(cli, tmp_path):
    first = json.loads(cli("demo", tmp_path / "story", "--profiles", "300", "--json").out)
    again = json.loads(cli("demo", tmp_path / "story", "--profiles", "300", "--json").out)
    assert set(again) == {"folder", "profiles", "links", "receipts", "seconds"}
    for receipt in [*first["receipts"], *again["receipts"]]:
        receipt.pop("seconds")
    assert again["receipts"] == first["receipts"]
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "precious.txt").write_text("stay")
    done = cli("demo", tmp_path / "mine")
    assert (done.code, "error[demo.folder]" in done.err) == (2, True)
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["precious.txt"]
