"""The queries of the Nexmark benchmark on generated events, as Tide and as SQL: both give the same rows, in whatever order events come.

`tests/nexmark` has a script and a query for each. Of q0 to q20 two are left out: q10 writes files by time, which no query can be
compared with, and q14 calls a function of the benchmark's own.
"""

import datetime
import json
import math
import os
import pathlib
import re
import subprocess
import sys
from typing import Any

import duckdb
import pytest

NEXMARK = pathlib.Path(__file__).resolve().parent.parent / "nexmark"
QUERIES = sorted((path.stem for path in NEXMARK.glob("q*.tide")), key=lambda name: int(name[1:]))
EVENTS = 20_000
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z?")
TABLES = {
    "persons": "id bigint, name text, email text, card text, city text, state text, at timestamp, extra text",
    "auctions": "id bigint, item text, description text, initial bigint, reserve bigint, at timestamp, expires timestamp, "
    "seller bigint, category bigint, extra text",
    "bids": "auction bigint, bidder bigint, price bigint, channel text, url text, at timestamp, extra text",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """The events, up to 30 seconds out of order."""
    folder = tmp_path_factory.mktemp("nexmark")
    subprocess.run([sys.executable, NEXMARK / "events.py", str(EVENTS), folder, "--disorder", "30"], check=True)
    return folder


@pytest.fixture(scope="module")
def database(folder: pathlib.Path) -> duckdb.DuckDBPyConnection:
    """The same events in DuckDB."""
    database = duckdb.connect()
    for name, columns in TABLES.items():
        pairs = ", ".join("\"{}\": '{}'".format(*column.split()) for column in columns.split(", "))
        database.execute(f"create table {name} as select * from read_json('{folder / name}.jsonl', columns = {{{pairs}}})")
    database.execute(f"create table side as select * from read_csv('{folder / 'side.csv'}')")
    return database


def normal(value: Any) -> Any:
    """A value such that both systems' are equal: floats to 12 digits, times as text."""
    if isinstance(value, float):
        return float(f"{value:.12g}") if math.isfinite(value) else str(value)
    if hasattr(value, "isoformat"):
        return value.isoformat().replace("+00:00", "")
    if isinstance(value, str) and TIME.fullmatch(value):
        return datetime.datetime.fromisoformat(value.removesuffix("Z")).isoformat()
    return value


def rows(found: list) -> list[tuple]:
    return sorted((tuple(normal(value) for value in row) for row in found), key=repr)


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("query", QUERIES)
def test_query(query: str, workers: int, folder: pathlib.Path, database: duckdb.DuckDBPyConnection) -> None:
    script = folder / f"{query}.tide"
    script.write_text((NEXMARK / "tables.tide").read_text() + (NEXMARK / f"{query}.tide").read_text())
    command = [os.environ["TIDEBOOK_BIN"], "run", "--format", "json", "--workers", str(workers), script]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    table = json.loads(done.stdout.splitlines()[-1])
    assert table["errors"] == 0
    result = database.execute((NEXMARK / f"{query}.sql").read_text())
    assert [column["name"] for column in table["columns"]] == [column[0] for column in result.description]
    expected = result.fetchall()
    assert expected, "a query without rows compares nothing"
    assert rows(table["rows"]) == rows(expected)
