"""Heads in SQL against DuckDB: the queries of `tests/sql/queries.sql` over two small tables with nulls in every column.

The tables come in two steps, the second of which takes rows back, so that each query is kept and not only answered once.
"""

from __future__ import annotations

import datetime
import decimal
import json
import math
import pathlib
import re

import duckdb
import pytest

from conftest import ROOT, Runner

QUERIES = [query.strip() for query in (ROOT / "tests/sql/queries.sql").read_text().split("\n", 1)[1].split(";") if query.strip()]
TYPES = {
    "a": {"id": "bigint", "k": "text", "v": "bigint", "f": "double", "d": "date", "ts": "timestamp"},
    "b": {"id": "bigint", "k": "text", "w": "bigint"},
}
ROWS = {
    "a": [
        (1, "x", 10, 1.5, "2026-01-01", "2026-01-01T10:00:00"),
        (2, "y", None, 2.5, "2026-01-02", "2026-01-01T11:30:00"),
        (3, "x", 30, None, None, "2026-01-02T00:00:00"),
        (4, None, 7, -1.0, "2026-02-28", "2026-01-03T05:00:01"),
        (5, "z", 7, 0.0, "2026-01-01", "2026-01-01T10:00:00"),
        (6, "x", -3, 1e10, "2025-12-31", "2025-12-31T23:59:59"),
    ],
    "b": [(1, "x", 100), (2, "x", 200), (3, "y", None), (7, None, 5), (4, "z", 100), (5, "q", 1)],
}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z?")


def literal(value: object, ty: str) -> str:
    """A value in Tide."""
    if value is None:
        return "null"
    if ty in ("date", "timestamp"):
        return f"@{value}" + ("Z" if ty == "timestamp" else "")
    return json.dumps(value)


def tables() -> str:
    """The tables in Tide. Every row but the first comes twice, and one of it is taken back."""
    lines = []
    for name, rows in ROWS.items():
        records = ["{" + ", ".join(f"{c}: {literal(v, t)}" for (c, t), v in zip(TYPES[name].items(), row, strict=True)) + "}" for row in rows]
        taken = ", ".join(f"-{record}" for record in records[1:])
        lines.append(f"{name} = rows [ {', '.join(records + records[1:])} ] then [ {taken} ]")
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def database() -> duckdb.DuckDBPyConnection:
    """The same tables in DuckDB, which sorts nulls as PostgreSQL does."""
    database = duckdb.connect()
    database.execute("set default_null_order = 'nulls_last_on_asc_first_on_desc'")
    for name, rows in ROWS.items():
        database.execute(f"create table {name} ({', '.join(map(' '.join, TYPES[name].items()))})")
        database.executemany(f"insert into {name} values ({', '.join('?' * len(TYPES[name]))})", rows)
    return database


def normal(value: object) -> object:
    """A value such that both systems' are equal: numbers to ten digits, times as text."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int | float | decimal.Decimal) or (isinstance(value, str) and re.fullmatch(r"-?\d+(\.\d+)?", value)):
        number = float(value)
        return float(f"{number:.10g}") if math.isfinite(number) else str(number)
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, str) and TIME.fullmatch(value):
        return datetime.datetime.fromisoformat(value.removesuffix("Z")).isoformat()
    return value


def rows(found: list) -> list[tuple]:
    return sorted((tuple(normal(value) for value in row) for row in found), key=repr)


@pytest.mark.parametrize("query", QUERIES)
def test_query(run: Runner, tmp_path: pathlib.Path, database: duckdb.DuckDBPyConnection, query: str) -> None:
    script = tmp_path / "query.tide"
    script.write_text(f'{tables()}sql """{query}"""\n')
    done = run(script, "--format", "json", "--workers", "2")
    assert done.returncode == 0, done.stderr
    table = json.loads(done.stdout)
    result = database.execute(query)
    names = [column[0] for column in result.description]
    assert table["errors"] == 0
    assert rows(table["rows"]) == rows(result.fetchall())
    assert [column["name"] for column in table["columns"]] == names
