"""The hand-written best: one DuckDB script that reads, splits, checks, joins and writes what an import writes.

Outputs, as ours: one row an accepted ID with its line and its profile, the rejected records with line and reason, and
the counts. The digests of the profiles are known beforehand, as they are for us.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb

from benchmarks.competitors.script import main

if TYPE_CHECKING:
    from pathlib import Path


def digests(profiles: Path, target: Path) -> None:
    """Prepare the known digests (not part of what is measured)."""
    connection = duckdb.connect()
    connection.execute(
        f"copy (select row_number() over () as profile_id, sha256(lower(trim(email))) as h from '{profiles}') "
        f"to '{target}' (format parquet)"
    )
    connection.close()


def run(incoming: Path, known: Path, target: Path, segment: str) -> dict[str, int]:
    """Import by hand."""
    c = duckdb.connect()
    c.execute(f"set threads=2; set memory_limit='2GB'; set temp_directory='{target}'")
    reader = (
        f"read_csv('{incoming}', header=false, delim=' ', quote='', escape='', auto_detect=false, null_padding=true, "
        "columns={'id': 'VARCHAR', 'segments': 'VARCHAR'})"
    )
    c.execute(
        f"""create temp table s as select row_number() over () as line, lower(id) as id,
        (',' || segments || ',') like '%,{segment},%' as hit,
        length(id) = 64 and regexp_full_match(lower(id), '[0-9a-f]{{64}}') as valid from {reader}"""
    )
    c.execute("create temp table repeated as select id from s where hit and valid group by id having count(*) > 1")
    c.execute(
        """create temp table again as select line, id from (select line, id, row_number() over (partition by id
        order by line) as nth from s where hit and valid and id in (select id from repeated)) where nth > 1"""
    )
    c.execute(
        f"""copy (select s.id, s.line, p.profile_id from s left join '{known}' p on p.h = s.id
        where hit and valid and s.line not in (select line from again)) to '{target}/rows.parquet' (format parquet)"""
    )
    c.execute(
        f"""copy (select line, 'malformed_id' as reason, id from s where hit and not valid
        union all select line, 'duplicate_id', id from again) to '{target}/rejects.parquet' (format parquet)"""
    )
    row = c.execute(
        f"select count(*), count(profile_id), count(distinct profile_id) from '{target}/rows.parquet'"
    ).fetchall()[0]
    c.close()
    return {"accepted": row[0], "matched": row[1], "members": row[2]}


if __name__ == "__main__":
    main(run)
