"""The workflows under examples/ run on the demo project, twice, with a real SFTP server and an S3 endpoint."""

from __future__ import annotations

import gzip
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import symbolon
from symbolon.records import RunState

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests"))
from s3server import endpoint  # noqa: E402, F401 - a fixture
from sftpserver import server, skip_where_there_is_none  # noqa: E402, F401

EXAMPLES = ROOT / "examples"


@pytest.fixture(scope="session")
def demo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("examples") / "shop"
    command = [sys.executable, "-m", "symbolon.cli", "demo", str(folder), "--profiles", "2000", "--quiet"]
    subprocess.run(command, check=True, capture_output=True)
    return folder


@pytest.fixture
def demo(demo_folder: Path, tmp_path: Path):
    shutil.copytree(demo_folder, tmp_path / "shop")
    with symbolon.open(tmp_path / "shop") as project:
        yield project


def run_twice(project, name: str):
    """Check, plan and run an example, then run it again; give the facts of both runs by activity."""
    found = []
    for _ in range(2):
        workflow = project.workflows.find(str(EXAMPLES / name))
        project.workflows.check(workflow)
        project.workflows.plan(workflow)
        run = project.workflows.run(workflow)
        assert run.state is RunState.DONE
        steps = project.workflows.steps(run.id)
        found.append({step.step: (step.facts["passed"], step.facts["told"]) for step in steps})
    return found


def emails(project, where) -> set[str]:
    people = project.profiles.current()
    rows = project.engine.fetch(people.filter(where(people)).select("email"), limit=None)
    return {value for value in rows.column("email").to_pylist() if value}


def test_monthly_replace(demo) -> None:
    first, second = run_twice(demo, "monthly-replace.yaml")
    rows = first["one_an_address"][0]["result"]["rows"]
    assert demo.audiences.show("Newsletter of the month").members == rows
    assert second["newsletter"][1]["receipt"]["added"] == 0
    willing = emails(demo, lambda p: ~p.opt_out_email.fill_null(False) & ~p.opt_out_all.fill_null(False))
    saved = demo.audiences.members("Newsletter of the month", columns=["email"]).to_arrow().column(0).to_pylist()
    assert set(saved) <= willing
    assert len({one.strip().lower() for one in saved}) == len(saved) == len({one.strip().lower() for one in willing})


def test_share_with_removals(demo) -> None:
    first, second = run_twice(demo, "share-with-removals.yaml")
    receipt, again = first["share"][1]["receipt"], second["share"][1]["receipt"]
    assert (receipt["added"], receipt["removed"]) == (receipt["ids"], None)
    assert (again["added"], again["removed"], again["kept"]) == (0, 0, receipt["ids"])
    (file,) = (demo.settings.project / "outbox").glob("ftp_dpm_*.sync")
    lines = file.read_text().splitlines()
    assert len(lines) == receipt["added"]
    assert all(re.fullmatch(r"[0-9a-f]{64}\td_sid=4711", line) for line in lines)
    shared, left = first["share"][0]["result"]["rows"], first["share"][0]["complement"]["rows"]
    assert shared + left == first["french"][0]["result"]["rows"]
    assert demo.audiences.show("Not shared with the partner").members == left


def test_file_to_profiles(demo) -> None:
    known = sorted(emails(demo, lambda p: p.email.notnull()))[:20]
    unknown = [f"new{number}@fair.example" for number in range(3)]
    text = "email,name\n" + "".join(f"{one},x\n" for one in [*known, *unknown])
    (demo.settings.project / "inbox" / "summer-fair.csv").write_text(text, encoding="utf-8")
    before = demo.profiles.count
    first, second = run_twice(demo, "file-to-profiles.yaml")
    assert demo.profiles.count == before + 3
    assert first["people"][1]["created"] == 3
    assert second["people"][1].get("created", 0) == 0
    assert demo.audiences.show("Summer fair, all rows").type == "file"
    assert demo.audiences.show("Summer fair").members >= 23
    assert set(unknown) <= set(
        demo.audiences.members("Summer fair", columns=["email"]).to_arrow().column(0).to_pylist()
    )


def test_split_and_deliver(demo, endpoint, server, tmp_path: Path) -> None:  # noqa: F811
    arrived = tmp_path / "partner"
    arrived.mkdir()
    demo.transports.add("partner-sftp", server.url(arrived), server.options, server.secret)
    url = endpoint.prefix()
    demo.transports.add("partner-s3", url, endpoint.options, endpoint.secret)
    first, second = run_twice(demo, "split-and-deliver.yaml")
    sent = sorted(arrived.glob("mail_*.csv.gz"))
    assert sent
    rows = gzip.decompress(sent[0].read_bytes()).decode().splitlines()
    assert rows[0].replace('"', "") == "id,digest,code"
    assert len(rows) - 1 == first["split"][0]["mail"]["rows"]
    assert not any("@" in row for row in rows)
    bucket, _, prefix = url.removeprefix("s3://").partition("/")
    listed = endpoint.client().list_objects_v2(Bucket=bucket, Prefix=f"{prefix}/in/")["Contents"]
    lines = 0
    for one in listed:
        body = endpoint.client().get_object(Bucket=bucket, Key=one["Key"])["Body"].read()
        content = gzip.decompress(body) if one["Key"].endswith(".gz") else body
        lines += content.count(b"\n")
    assert lines == sum(run["to_s3"][1]["receipt"]["added"] for run in (first, second))
    rest = sorted((demo.settings.project / "outbox").glob("rest_*.ndjson"))
    assert len(rest[0].read_text().splitlines()) == first["split"][0]["complement"]["rows"]
    assert set(json.loads(rest[0].read_text().splitlines()[0])) == {"id", "city"}


def test_newsletter(demo) -> None:
    workflow = demo.workflows.find(str(EXAMPLES / "newsletter.yaml"))
    planned = {one.id: one.facts for one in demo.workflows.plan(workflow).activities}
    for number in (1, 2):
        run = demo.workflows.run(workflow)
        assert (run.state, run.facts["at"]) == (RunState.PAUSED, "letter")
        assert demo.workflows.confirm(run.id).state is RunState.DONE
        told = {step.step: step.facts["told"] for step in demo.workflows.steps(run.id)}
        letters, short = told["letter"]["receipt"], told["text_message"]["receipt"]
        assert letters["sent"] == planned["letter"]["receipt"]["ready"] > 100
        written = list((demo.settings.project / "outbox" / "messages" / "sandbox").rglob("*.eml"))
        assert len(written) == number * letters["sent"]
        assert len(list((demo.settings.project / "outbox").rglob("*.json"))) == number * short["sent"]
    willing = emails(demo, lambda p: ~p.opt_out_email.fill_null(False) & ~p.opt_out_all.fill_null(False))
    assert letters["sent"] <= len({one.strip().lower() for one in willing})
    assert demo.audiences.show("Reached by nothing").members == sum(short["withheld"].values())


def test_every_example_is_tried() -> None:
    here = Path(__file__).read_text(encoding="utf-8")
    assert [path.name for path in EXAMPLES.glob("*.yaml") if path.name not in here] == []
    readme = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    assert [path.name for path in EXAMPLES.glob("*.yaml") if path.name not in readme] == []
