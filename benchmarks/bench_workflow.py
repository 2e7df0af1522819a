"""Ten chained activities beside the one statement that a person would write, and a preview of a count.

    python -m benchmarks.bench_workflow [--rows 10000000]

Each figure is of a process of its own. Both write the members as Parquet; ours also keeps a version, its counts by
transition, its receipt, and what it needs to go on after a crash.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from typing import TYPE_CHECKING

import duckdb

import symbolon
from benchmarks import bench_import, data
from benchmarks.measure import measure, table

if TYPE_CHECKING:
    from pathlib import Path

#: the size that the budgets speak of
BUDGET_ROWS = 10_000_000
WORKFLOW = """\
name: chain
activities:
  - {id: a, type: query, where: "email IS NOT NULL"}
  - {id: b, type: query, from: a, where: "NOT external_id LIKE '%77'"}
  - {id: c, type: query, from: b, where: "length(external_id) > 3"}
  - {id: x, type: query, where: "external_id LIKE '%5'"}
  - {id: d, type: exclusion, from: [c, x]}
  - {id: y, type: query, where: "external_id LIKE '%3' OR external_id LIKE '%9'"}
  - {id: e, type: union, from: [d, y]}
  - {id: z, type: query, where: "NOT coalesce(opt_out_all, FALSE)"}
  - {id: f, type: intersection, from: [e, z]}
  - {id: g, type: deduplication, from: f, by: [lower(email)]}
  - {id: h, type: query, from: g, where: "NOT external_id LIKE '%11'"}
  - {id: i, type: query, from: h, where: "NOT coalesce(do_not_share, FALSE)"}
  - {id: j, type: save_audience, from: i, audience: Chained}
"""
BY_HAND = """
COPY (
  WITH p AS (FROM read_parquet({files})),
  c AS (SELECT profile_id FROM p WHERE email IS NOT NULL AND external_id NOT LIKE '%77' AND length(external_id) > 3),
  d AS (SELECT profile_id FROM c ANTI JOIN (SELECT profile_id FROM p WHERE external_id LIKE '%5') USING (profile_id)),
  e AS (SELECT profile_id FROM d UNION SELECT profile_id FROM p WHERE external_id LIKE '%3' OR external_id LIKE '%9'),
  f AS (SELECT profile_id FROM e SEMI JOIN (SELECT profile_id FROM p WHERE NOT coalesce(opt_out_all, false))
        USING (profile_id)),
  g AS (SELECT min(p.profile_id) AS profile_id FROM f JOIN p USING (profile_id) GROUP BY lower(p.email)),
  i AS (SELECT profile_id FROM g JOIN p USING (profile_id)
        WHERE p.external_id NOT LIKE '%11' AND NOT coalesce(p.do_not_share, false))
  FROM i
) TO '{target}' (FORMAT parquet)
"""


def prepare(rows: int) -> Path:
    """Make a project with `rows` profiles that workflows may change; kept between runs."""
    folder = data.FOLDER / f"workflows-{rows}"
    if not (folder / "symbolon.toml").exists():
        shutil.copytree(bench_import.prepare(rows), folder)
    symbolon.init(folder).close()  # brings an older one up to date
    (folder / "chain.yaml").write_text(WORKFLOW, encoding="utf-8")
    return folder


def by_hand(folder: str, target: str) -> None:
    """Do the same by one statement."""
    with symbolon.open(folder) as project:
        state = project.store.state("profiles")
        assert state is not None
        files = project.lake.table("profiles/rows").files()
    connection = duckdb.connect()
    connection.execute("SET threads = 2; SET memory_limit = '2GB'")
    connection.execute(BY_HAND.format(files=files, target=target))
    members = connection.execute(f"SELECT count(*) FROM '{target}'").fetchall()[0][0]
    print(json.dumps({"members": members}))


def previewed(folder: str) -> None:
    """Preview the same count where the project is open already, as a page or a notebook has it."""
    with symbolon.open(folder) as project:
        workflow = project.workflows.find(f"{folder}/chain.yaml")
        project.workflows.preview_count(workflow, "x")
        started = time.perf_counter()
        rows = project.workflows.preview_count(workflow, "e")
        print(json.dumps({"rows": rows, "seconds": time.perf_counter() - started}))


def main() -> None:
    if sys.argv[1:2] == ["--by-hand"]:
        by_hand(*sys.argv[2:4])
        return
    if sys.argv[1:2] == ["--previewed"]:
        previewed(sys.argv[2])
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=BUDGET_ROWS)
    rows = parser.parse_args().rows
    folder = prepare(rows)
    project = ["--project", str(folder)]
    chain, target = str(folder / "chain.yaml"), folder / "by-hand.parquet"
    figures = [
        measure("one statement by hand", "benchmarks.bench_workflow", ["--by-hand", str(folder), str(target)]),
        measure("workflow run", "symbolon.cli", [*project, "workflow", "run", chain, "--json"]),
        measure("workflow plan", "symbolon.cli", [*project, "workflow", "plan", chain, "--json"]),
        measure(
            "preview of a count", "symbolon.cli", [*project, "workflow", "preview", chain, "e", "--count", "--json"]
        ),
    ]
    hand, run, _, preview = figures
    within = measure("preview in an open project", "benchmarks.bench_workflow", ["--previewed", str(folder)])
    if within.output["rows"] != preview.output["rows"]:
        raise SystemExit("not the same people")
    steps = {step["activity"]: step for step in run.output["steps"]}  # type: ignore[attr-defined]
    if steps["j"]["facts"]["receipt"]["members"] != hand.output["members"]:
        raise SystemExit("not the same members")
    print(f"\n{rows:,} profiles, {hand.output['members']:,} members\n")
    print(table(figures, "one statement by hand"))
    print()
    if rows < BUDGET_ROWS:
        print(f"the budgets are for {BUDGET_ROWS:,} rows: with fewer, start-up is most of it")
    _budget("workflow run / one statement", run.seconds / hand.seconds, 1.5)
    _budget("preview of a count, the whole command, seconds", preview.seconds, 2.0)
    _budget("preview of a count, project open, seconds", float(str(within.output["seconds"])), 2.0)
    _budget("peak memory, GiB", max(one.peak_mib for one in figures[1:]) / 1024, 3.0)


def _budget(what: str, found: float, budget: float) -> None:
    verdict = "within" if found <= budget else "OVER"
    print(f"{what}: {found:.2f} ({verdict} the budget of {budget:g})")


if __name__ == "__main__":
    main()
