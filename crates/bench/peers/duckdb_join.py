"""DuckDB reads the NDJSON and writes it into PostgreSQL by its postgres extension: straight into an empty table, else into a
stage, which the same statements as the floor's join with the table.

Usage: duckdb_join.py init|again TABLE FILE URL COLUMNS JOIN
"""

import json
import sys
import sysconfig
from pathlib import Path

import duckdb

KINDS = {"text": "VARCHAR", "timestamptz": "TIMESTAMPTZ", "jsonb": "JSON"}

phase, table, file, url, columns, join = sys.argv[1:]
columns = json.loads(columns)
extension = next(Path(sysconfig.get_path("purelib")).glob("duckdb_extension_postgres_scanner/**/*.duckdb_extension"))


def kind(column):
    """DuckDB's name of a column's type; what is nested stays JSON until it is taken apart."""
    return "JSON" if len(column["path"]) > 1 else KINDS.get(column["type"], column["type"].upper())


def value(column):
    """The column's value out of the record's member."""
    member, *below = column["path"]
    if below:
        path = "$" + "".join(f'."{step}"' for step in below)
        return f"CAST(json_extract_string(\"{member}\", '{path}') AS {KINDS.get(column['type'], column['type'])})"
    return f'"{member}"::VARCHAR' if column["type"] == "jsonb" else f'"{member}"'


base = duckdb.connect(config={"allow_unsigned_extensions": "true"})
base.execute(f"LOAD '{extension}'")
base.execute("SET TimeZone = 'UTC'; SET preserve_insertion_order = false")
base.execute(f"ATTACH '{url}' AS pg (TYPE postgres)")
names = ", ".join(f'"{column["name"]}"' for column in columns)
values = ", ".join(value(column) for column in columns)
members = ", ".join(f"'{name}': '{kind}'" for name, kind in {c["path"][0]: kind(c) for c in columns}.items())
records = f"SELECT {values} FROM read_ndjson('{file}', columns = {{{members}}})"
if phase == "init":
    base.execute(f'INSERT INTO pg.public."{table}" ({names}) {records}')
else:
    stage = f'CREATE UNLOGGED TABLE public._stage AS SELECT {names} FROM public."{table}" LIMIT 0'
    base.execute("CALL postgres_execute('pg', ?)", [f"DROP TABLE IF EXISTS public._stage; {stage}"])
    base.execute("CALL pg_clear_cache()")
    base.execute(f"INSERT INTO pg.public._stage ({names}) {records}")
    base.execute("CALL postgres_execute('pg', ?)", [f"ANALYZE public._stage (id); {join}; DROP TABLE public._stage"])
