"""The hashed import as others would write it by hand: the same files in, the same files and counts out.

Each is a script of its own, `python -m benchmarks.competitors.NAME INCOMING KNOWN TARGET --segment 24`. INCOMING is a
segment file, KNOWN the digests of the profiles (Parquet: `profile_id`, `h` in hexadecimal), TARGET a folder for
`rows.parquet` (`id`, `line`, `profile_id`) and `rejects.parquet` (`line`, `reason`, `id`). The last line on stdout is a
JSON object of counts.
"""
