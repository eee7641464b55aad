"""The 22 queries of TPC-H, kept while rows come and go, against DuckDB over the rows that are left.

The program `bench` makes the rows, streams them through both forms of each query (SQL and pipeline) and writes down what is left.
"""

from __future__ import annotations

import datetime
import decimal
import json
import math
import pathlib
import subprocess

import duckdb
import pytest

from conftest import ROOT

QUERIES = [path.stem for path in sorted((ROOT / "tests/tpch/sql").glob("q*.sql"))]


@pytest.fixture(scope="module")
def folder(tidebook: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """The rows, and what the queries hold."""
    folder = tmp_path_factory.mktemp("tpch")
    subprocess.run([tidebook.with_name("bench"), "tpch-results", folder], check=True, timeout=600)
    return folder


@pytest.fixture(scope="module")
def database(folder: pathlib.Path) -> duckdb.DuckDBPyConnection:
    """The rows that are left, with prices as decimals."""
    database = duckdb.connect()
    prices = {"retailprice", "acctbal", "supplycost", "totalprice", "quantity", "extendedprice", "discount", "tax"}
    for file in folder.glob("*.csv"):
        columns = file.read_text().split("\n", 1)[0].split("|")
        decimals = [f"'{column}': 'decimal(15, 2)'" for column in columns if column.split("_", 1)[1] in prices]
        types = f", types={{{', '.join(decimals)}}}" if decimals else ""
        database.execute(
            f"create table {file.stem} as select * from read_csv('{file}', delim='|', header=true, quote=''{types})"
        )
    return database


def same(one: object, other: object) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-6, abs_tol=1e-6)
    return one == other


def normal(value: object) -> object:
    """Decimals, which both write in their own way, as floats; dates as text."""
    if isinstance(value, decimal.Decimal | float):
        return float(value)
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, str):
        try:
            return float(value) if "." in value else value
        except ValueError:
            return value
    return value


def rows(found: list) -> list[tuple]:
    """In an order that does not go by the last digits."""
    rows = [tuple(normal(value) for value in row) for row in found]
    return sorted(rows, key=lambda row: (repr([v for v in row if not isinstance(v, float)]), [v for v in row if isinstance(v, float)]))


@pytest.mark.parametrize("way", ["sql", "tide"])
@pytest.mark.parametrize("query", QUERIES)
def test_query(folder: pathlib.Path, database: duckdb.DuckDBPyConnection, query: str, way: str) -> None:
    expected = rows(database.execute((ROOT / f"tests/tpch/sql/{query}.sql").read_text()).fetchall())
    found = rows(json.loads((folder / f"{query}.{way}.json").read_text()))
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert all(same(a, b) for a, b in zip(one, other, strict=True)), f"{one} is not {other}"
