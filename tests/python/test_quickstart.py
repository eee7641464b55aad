"""The quickstart: headless, through Jupyter's own runners, and with its feed."""

from __future__ import annotations

import csv
import json
import pathlib
import subprocess
import sys

import nbclient
import nbformat
import pytest

from conftest import Runner
from feed import Feed
from front_end import FrontEnd
from html_table import read_table


def flown(folder: pathlib.Path) -> list[dict[str, str]]:
    """The flights that arrived, read from the files with nothing of Tidebook."""
    rows = []
    for path in sorted((folder / "data" / "flights").glob("*.csv")):
        with open(path, encoding="utf-8", newline="") as file:
            rows += [row for row in csv.DictReader(file) if row["arr_delay"]]
    return rows


def by_airline(folder: pathlib.Path) -> list[dict[str, object]]:
    """The quickstart's table of airlines, computed again by hand."""
    with open(folder / "data" / "airlines.csv", encoding="utf-8", newline="") as file:
        names = {row["carrier"]: row["name"] for row in csv.DictReader(file)}
    delays: dict[str, list[int]] = {}
    for row in flown(folder):
        delays.setdefault(names[row["carrier"]], []).append(int(row["arr_delay"]))
    return [
        {"airline": name, "flights": len(minutes), "late_flights": sum(m > 15 for m in minutes), "worst": max(minutes)}
        for name, minutes in delays.items()
    ]


def shortened(quickstart: pathlib.Path, months: int) -> pathlib.Path:
    """The quickstart with fewer months, for tests that look at the movement and not at the size."""
    for path in sorted((quickstart.parent / "data" / "flights").glob("*.csv"))[months:]:
        path.unlink()
    return quickstart


def test_headless(run: Runner, quickstart: pathlib.Path) -> None:
    done = run(quickstart, "--format", "json", deadline_s=200)
    assert done.returncode == 0, done.stderr
    tables = {table["table"]: table for table in map(json.loads, done.stdout.splitlines())}
    airlines = next(table for table in tables.values() if table["columns"][0]["name"] == "airline")
    names = [column["name"] for column in airlines["columns"]]
    expected = {row["airline"]: row for row in by_airline(quickstart.parent)}
    assert len(airlines["rows"]) == len(expected) == 16
    for row in airlines["rows"]:
        found = dict(zip(names, row, strict=True))
        assert {name: found[name] for name in ("airline", "flights", "late_flights", "worst")} == expected[found["airline"]]
    shares = [dict(zip(names, row, strict=True))["late_percent"] for row in airlines["rows"]]
    assert shares == sorted(shares, reverse=True)


def test_workers_agree(run: Runner, quickstart: pathlib.Path) -> None:
    def settled(*words: str) -> list[str]:
        done = run(shortened(quickstart, 2), "--format", "json", *words)
        assert done.returncode == 0, done.stderr
        # The ticks are as many as have come by then.
        return [line for line in done.stdout.splitlines() if '"lane"' not in line]

    assert settled("--workers", "2") == settled()


def test_sinks_hold_the_tables(run: Runner, quickstart: pathlib.Path) -> None:
    folder = shortened(quickstart, 2).parent
    assert run(quickstart).returncode == 0
    with open(folder / "out" / "airlines.csv", encoding="utf-8", newline="") as file:
        written = {row["airline"]: int(row["flights"]) for row in csv.DictReader(file)}
    assert written == {row["airline"]: row["flights"] for row in by_airline(folder)}
    totals: dict[str, int] = {}
    for line in (folder / "out" / "airlines-changes.jsonl").read_text(encoding="utf-8").splitlines():
        change = json.loads(line)
        totals[change["airline"]] = totals.get(change["airline"], 0) + change["_diff"] * change["flights"]
    assert totals == written, "the changes add up to the contents"


def test_the_threshold_is_a_parameter(run: Runner, quickstart: pathlib.Path) -> None:
    done = run(shortened(quickstart, 1), "--format", "json", "--set", "late_after=100000")
    assert done.returncode == 0, done.stderr
    (airlines,) = [t for t in map(json.loads, done.stdout.splitlines()) if t["columns"][0]["name"] == "airline"]
    place = [column["name"] for column in airlines["columns"]].index("late_flights")
    assert {row[place] for row in airlines["rows"]} == {0}


def test_nbclient(quickstart: pathlib.Path) -> None:
    book = nbformat.read(quickstart, as_version=4)
    nbclient.NotebookClient(book, timeout=120, resources={"metadata": {"path": str(quickstart.parent)}}).execute()
    nbformat.validate(book)
    outputs = {cell.id: cell.outputs for cell in book.cells if cell.cell_type == "code"}
    assert not [output for cell in outputs.values() for output in cell if output.output_type == "error"]
    table = read_table(outputs["airlines"][-1].data)
    expected = {row["airline"]: row["flights"] for row in by_airline(quickstart.parent)}
    assert dict(zip(table.column("airline"), table.numbers("flights"), strict=True)) == expected


@pytest.mark.parametrize("target", ["notebook", "html"])
def test_nbconvert(quickstart: pathlib.Path, target: str) -> None:
    shortened(quickstart, 1)
    command = [sys.executable, "-m", "nbconvert", "--execute", "--to", target, "--output", "done", quickstart.name]
    done = subprocess.run(command, cwd=quickstart.parent, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    result = quickstart.parent / ("done.html" if target == "html" else "done.ipynb")
    assert "Hawaiian Airlines" in result.read_text(encoding="utf-8")


def test_nbconvert_fails_with_a_failing_cell(tmp_path: pathlib.Path) -> None:
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("t = rows [ {a: 1} ]\nexpect t is empty")])
    book.metadata.kernelspec = {"name": "tide", "display_name": "Tide (Tidebook)", "language": "tide"}
    nbformat.write(book, tmp_path / "failing.ipynb")
    command = [sys.executable, "-m", "nbconvert", "--execute", "--to", "notebook", "--output", "done", "failing.ipynb"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=100)
    assert done.returncode != 0
    assert "`expect t is empty` does not hold" in done.stderr


def test_the_feed_moves_the_tables(quickstart: pathlib.Path) -> None:
    """The second part of the quickstart: every event of the feed, and each table right after it."""
    folder = shortened(quickstart, 2).parent
    front_end = FrontEnd(folder).start()
    try:
        shown = {}
        for cell in nbformat.read(quickstart, as_version=4).cells:
            if cell.cell_type == "code":
                displays = front_end.run(cell.source, cell=cell.id).ok().shown
                shown |= {cell.id: displays[-1]} if displays else {}
                if cell.id == "expect":
                    readable = displays[0]
        errors = front_end.run("flights.errors | select text").ok().shown[0]
        assert front_end.table(shown["board"]).rows == []

        def agree() -> None:
            expected = {row["airline"]: (row["flights"], row["worst"]) for row in by_airline(folder)}

            def holds(table) -> bool:
                found = zip(table.column("airline"), table.numbers("flights"), table.numbers("worst"), strict=True)
                return {airline: (flights, worst) for airline, flights, worst in found} == expected

            front_end.wait_for(shown["airlines"], holds)

        before = front_end.table(shown["airlines"]).rows
        feed = Feed(folder / "data")
        for arriving in (1, 4, 20):
            feed.arrive(arriving)
            agree()
        front_end.wait_for(shown["board"], lambda table: len(table.rows) == 8)
        front_end.wait_for(shown["years"], lambda table: table.by("year", "flights").get("2014") is not None or len(table.rows) == 2)
        feed.correct(0, 5_000)
        agree()
        feed.send_broken()
        front_end.wait_for(errors, lambda table: len(table.rows) == 1)
        assert front_end.table(errors).rows == [["this line is not a flight"]]
        front_end.wait_for(readable, lambda table: "✗" in table.caption)
        feed.mend()
        front_end.wait_for(readable, lambda table: "✓" in table.caption)
        front_end.wait_for(errors, lambda table: table.rows == [])
        agree()
        feed.undo()
        agree()
        front_end.wait_for(shown["airlines"], lambda table: table.rows == before)
        front_end.wait_for(shown["board"], lambda table: table.rows == [])
    finally:
        front_end.stop()


def test_the_feed_runs_as_a_program(quickstart: pathlib.Path) -> None:
    import feed

    command = [sys.executable, feed.__file__, "--data", str(quickstart.parent / "data")]
    done = subprocess.run([*command, "--flights", "6", "--every", "0"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    sent = quickstart.parent / "data" / "flights" / "2014-01.csv"
    assert len(sent.read_text().splitlines()) == 7
    assert "corrected: UA 1545 came an hour later, delay 71" in done.stdout
    subprocess.run([*command, "--undo"], check=True, timeout=60)
    assert not sent.exists()
