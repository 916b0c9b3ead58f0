"""dlt loads a generator of flat records with its merge strategy upsert, by files of CSV and COPY.

Usage: dlt_upsert.py init|again TABLE FILE URL COLUMNS JOIN
"""

import os
import sys
from urllib.parse import parse_qs, urlsplit

os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
os.environ["DATA_WRITER__DISABLE_COMPRESSION"] = "true"

import dlt  # noqa: E402
import orjson  # noqa: E402

KINDS = {"boolean": "bool", "timestamptz": "timestamp", "jsonb": "json", "integer": "bigint"}

phase, table, file, url, columns, _ = sys.argv[1:]
columns = orjson.loads(columns)
paths = [(column["name"], column["path"]) for column in columns]


def flat(record):
    """The record with the table's columns."""
    row = {}
    for name, path in paths:
        value = record
        for step in path:
            value = value.get(step) if value is not None else None
        row[name] = value
    return row


def records():
    """Pages of a thousand records, as dlt recommends."""
    page = []
    with open(file, "rb") as lines:
        for line in lines:
            page.append(flat(orjson.loads(line)))
            if len(page) == 1000:
                yield page
                page = []
    yield page


hints = {column["name"]: {"data_type": KINDS.get(column["type"], column["type"])} for column in columns}
resource = dlt.resource(
    records,
    name=table,
    primary_key="id",
    columns=hints,
    write_disposition={"disposition": "merge", "strategy": "upsert"},
)
server = urlsplit(url)
folder, user = (parse_qs(server.query)[name][0] for name in ("host", "user"))
# The server trusts who reaches its socket; dlt wants a password and a host all the same, and libpq takes the later host.
credentials = f"postgresql://{user}:none@localhost{server.path}?host={folder}"
destination = dlt.destinations.postgres(credentials)
pipeline = dlt.pipeline("bench", destination=destination, dataset_name="dlt", pipelines_dir=os.environ["HOME"])
if phase == "init":
    pipeline.drop()
pipeline.run(resource, loader_file_format="csv")
