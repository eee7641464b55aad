"""The notebook `time.ipynb`: what its windows, joins in time and patterns say, found again with DuckDB and by hand."""

from __future__ import annotations

import datetime
import json
import pathlib

import duckdb
import nbclient
import nbformat
import pytest

import make_data
from conftest import ROOT, Runner


@pytest.fixture
def notebook(tmp_path: pathlib.Path) -> pathlib.Path:
    """A copy of the notebook with the data that it reads."""
    source = ROOT / "notebooks" / "data"
    if not (source / "flights").exists():
        make_data.make_data(source)
    files = tmp_path / "data" / "files"
    files.mkdir(parents=True)
    make_data.log_departures(source / "flights" / "2013-01.csv", files / "departures")
    make_data.pack_weather(make_data.package_data() / "weather.csv", files / "weather.jsonl.gz")
    path = tmp_path / "time.ipynb"
    path.write_bytes((ROOT / "notebooks" / "time.ipynb").read_bytes())
    return path


@pytest.fixture
def database(notebook: pathlib.Path) -> duckdb.DuckDBPyConnection:
    """The departures and the weather in DuckDB."""
    database = duckdb.connect()
    database.execute('create table departures ("at" timestamp, origin text, flight text, delay bigint)')
    lines = [line.split(" ") for path in (notebook.parent / "data/files/departures").glob("*.log") for line in path.read_text().splitlines()]
    rows = [(at, origin, flight, int(rest[0]) if rest else None) for at, origin, flight, _, *rest in lines]
    database.executemany("insert into departures values (?, ?, ?, ?)", rows)
    columns = "{origin: 'text', \"at\": 'timestamp', wind_speed: 'double'}"
    database.execute(f"create table weather as select * from read_json('{notebook.parent}/data/files/weather.jsonl.gz', columns = {columns})")
    return database


def normal(value: object) -> object:
    if isinstance(value, datetime.datetime):
        return value.isoformat()
    return round(value, 9) if isinstance(value, float) else value


def test_headless(run: Runner, notebook: pathlib.Path, database: duckdb.DuckDBPyConnection) -> None:
    done = run(notebook, "--format", "json")
    assert done.returncode == 0, done.stderr
    tables = [json.loads(line) for line in done.stdout.splitlines()]

    def shown(*columns: str) -> list[tuple]:
        """The rows of the one table with these columns."""
        (table,) = (table for table in tables if tuple(column["name"] for column in table["columns"]) == columns)
        return [tuple(normal(value) for value in row) for row in table["rows"]]

    def asked(query: str) -> list[tuple]:
        return [tuple(normal(value) for value in row) for row in database.execute(query).fetchall()]

    assert shown("origin", "from", "flights", "late") == asked(
        """select origin, time_bucket(interval 6 hours, "at") as start, count(*), count(*) filter (delay > 15) from departures
           group by 1, 2 order by 2, 1 limit 6"""
    )
    busiest = shown("from", "to", "flights")
    assert sorted(row[2] for row in busiest) == sorted(
        row[0]
        for row in asked(
            """with hours as (select unnest([0, 1, 2]) as back), w as (select date_trunc('hour', "at") - back * interval 1 hour as start
               from departures, hours) select count(*) from w group by start order by 1 desc limit 3"""
        )
    )
    assert shown("origin", "from", "hours", "flights", "first", "last")[:1] == asked(
        """with m as (select *, coalesce("at" - lag("at") over (partition by origin order by "at") >= interval 2 hours, true)::int as new
           from departures), n as (select *, sum(new) over (partition by origin order by "at") as day from m)
           select origin, min("at"), (epoch(max("at")) - epoch(min("at"))) / 3600, count(*), arg_min(flight, ("at", flight)),
           arg_max(flight, ("at", flight)) from n group by origin, day order by 2, 1 limit 1"""
    )
    assert shown("wind", "flights", "average_delay") == asked(
        """select (wind_speed::int // 10 * 10)::int as wind, count(*), round(avg(delay), 1) from (
             select d.delay, w.wind_speed from departures d asof left join weather w on d.origin = w.origin and d."at" >= w."at")
           where delay is not null and wind_speed is not null group by 1 order by 1""".replace("wind_speed::int", "trunc(wind_speed)::int")
    )
    assert shown("origin", "delayed_after") == asked(
        """select c.origin, count(distinct n.flight) from departures c join departures n on c.origin = n.origin and c.delay is null
           and n.delay > 60 and n."at" between c."at" and c."at" + interval 1 hour group by 1 order by 1"""
    )

    # Runs of late departures, found by hand: greedy, one after the other, right behind one on time.
    flights = asked("""select origin, "at", flight, delay from departures where delay is not null order by origin, "at", flight, delay""")
    runs: list[tuple] = []
    place = 0
    while place < len(flights):
        origin, _, _, delay = flights[place]
        end = place + 1
        while delay <= 5 and end < len(flights) and flights[end][0] == origin and flights[end][3] > 30:
            end += 1
        if end - place - 1 >= 3:
            late = flights[place + 1 : end]
            runs.append((origin, late[0][1], len(late), max(row[3] for row in late)))
            place = end
        else:
            place += 1
    found = shown("origin", "since", "flights", "worst")
    assert sorted(found, key=lambda row: (-row[2], -row[3])) == sorted(runs, key=lambda row: (-row[2], -row[3]))[:5]

    assert shown("from", "clicks") == [("2026-01-01T00:00:00", 2), ("2026-01-01T00:00:10", 1), ("2026-01-01T00:00:20", 1)]
    assert shown("user", "at") == [("cyd", "2026-01-01T00:00:02")]
    assert shown("from", "to") == [("Bree", "Ely"), ("Cork", "Ely"), ("Dale", "Ely")]


def test_nbclient(notebook: pathlib.Path) -> None:
    book = nbformat.read(notebook, as_version=4)
    nbclient.NotebookClient(book, timeout=120, resources={"metadata": {"path": str(notebook.parent)}}).execute()
    assert not [output for cell in book.cells for output in cell.get("outputs", []) if output.output_type == "error"]
