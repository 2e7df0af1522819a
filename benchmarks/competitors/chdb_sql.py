"""chDB (ClickHouse in process): joined by the first 64 bits of the digest, the whole compared where they meet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chdb import session

from benchmarks.competitors.script import main

if TYPE_CHECKING:
    from pathlib import Path


def run(incoming: Path, known: Path, target: Path, segment: str) -> dict[str, int]:
    """Import by hand."""
    s = session.Session()
    s.query("set max_threads = 2")
    s.query("create database b engine = Memory")
    s.query("create table b.s (line UInt64, id String, valid UInt8, u UInt64) engine = Memory")
    s.query(
        f"""insert into b.s select line, id, length(id) = 64 and match(id, '^[0-9a-f]{{64}}$') as valid,
        if(valid, reinterpretAsUInt64(unhex(substring(id, 1, 16))), 0) as u
        from (select rowNumberInAllBlocks() + 1 as line, position(l, ' ') as gap, lower(substring(l, 1, gap - 1)) as id,
        substring(l, gap + 1) as segments from file('{incoming}', 'LineAsString', 'l String'))
        where has(splitByChar(',', segments), '{segment}') settings max_threads = 2"""
    )
    s.query("create table b.again (line UInt64, id String) engine = Memory")
    s.query(
        """insert into b.again select line, id from (select line, id, row_number() over (partition by id order by line)
        as nth from b.s where valid and u in (select u from b.s where valid group by u having count() > 1))
        where nth > 1"""
    )
    s.query(
        f"""insert into function file('{target}/rows.parquet', 'Parquet') select s.id as id, s.line as line,
        k.profile_id as profile_id from (select id, line, u from b.s
        where valid and line not in (select line from b.again)) as s
        left join (select profile_id, h, reinterpretAsUInt64(unhex(substring(h, 1, 16))) as u
        from file('{known}', 'Parquet', 'profile_id Int64, h String')) as k on s.u = k.u and s.id = k.h
        settings join_use_nulls = 1, output_format_parquet_compression_method = 'snappy', max_threads = 2"""
    )
    s.query(
        f"""insert into function file('{target}/rejects.parquet', 'Parquet') select line, 'malformed_id' as reason, id
        from b.s where not valid union all select line, 'duplicate_id', id from b.again
        settings output_format_parquet_compression_method = 'snappy'"""
    )
    found = s.query(
        f"select count(), count(profile_id), uniqExact(profile_id) from file('{target}/rows.parquet', 'Parquet')", "CSV"
    )
    accepted, matched, members = (int(one) for one in str(found).strip().split(","))
    s.close()
    return {"accepted": accepted, "matched": matched, "members": members}


if __name__ == "__main__":
    main(run)
