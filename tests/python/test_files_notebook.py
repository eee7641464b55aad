"""The notebook `files.ipynb`: what it reads of untidy files, read again by hand."""

from __future__ import annotations

import csv
import gzip
import json
import pathlib

import nbclient
import nbformat
import pytest

import make_data
from conftest import ROOT, Runner


@pytest.fixture
def notebook(quickstart: pathlib.Path) -> pathlib.Path:
    """A copy of the notebook with its data."""
    folder = quickstart.parent / "data"
    files, source = folder / "files", make_data.package_data()
    make_data.log_departures(folder / "flights" / "2013-01.csv", files / "departures")
    make_data.export_planes(source / "planes.csv", files / "planes-export.csv")
    make_data.pack_weather(source / "weather.csv", files / "weather.jsonl.gz")
    path = quickstart.parent / "files.ipynb"
    path.write_bytes((ROOT / "notebooks" / "files.ipynb").read_bytes())
    return path


def shown(output: str, first_column: str) -> list[dict[str, object]]:
    """The rows of the table that begins with this column."""
    for table in map(json.loads, output.splitlines()):
        names = [column["name"] for column in table["columns"]]
        if names[0] == first_column:
            return [dict(zip(names, row, strict=True)) for row in table["rows"]]
    raise AssertionError(f"no table begins with {first_column}")


def test_headless(run: Runner, notebook: pathlib.Path) -> None:
    files = notebook.parent / "data" / "files"
    done = run(notebook, "--format", "json")
    assert done.returncode == 0, done.stderr

    with open(files / "planes-export.csv", encoding="utf-16", newline="") as file:
        planes = list(csv.DictReader(file, delimiter=";"))
    boeing = [row for row in planes if row["manufacturer"] == "BOEING"]
    years = [int(row["year"]) for row in boeing if row["year"] != "NA"]
    expected = {"manufacturer": "BOEING", "planes": len(boeing), "seats": sum(int(row["seats"]) for row in boeing), "oldest": min(years)}
    assert expected in shown(done.stdout, "manufacturer")

    with gzip.open(files / "weather.jsonl.gz", "rt", encoding="utf-8") as file:
        weather = [json.loads(line) for line in file]
    warm = {origin: [row["temp"] for row in weather if row["origin"] == origin and "temp" in row] for origin in ("EWR", "JFK", "LGA")}
    assert shown(done.stdout, "origin") == [
        {"origin": origin, "hours": len(temps), "coldest": min(temps), "warmest": max(temps)} for origin, temps in warm.items()
    ]

    wind = {(row["origin"], row["at"]): row.get("wind_speed") for row in weather}
    delays: dict[int, list[int]] = {}
    for path in (files / "departures").glob("*.log"):
        for line in path.read_text(encoding="utf-8").splitlines():
            at, origin, _, what, *delay = line.split(" ")
            speed = wind.get((origin, at))
            if what == "delay" and speed is not None:
                delays.setdefault(int(speed) // 10 * 10, []).append(int(delay[0]))
    found = {row["wind"]: row["flights"] for row in shown(done.stdout, "wind")}
    assert found == {speed: len(some) for speed, some in delays.items()} and sum(found.values()) > 5_000

    kept = {row["airport"]: row["hours"] for row in shown(done.stdout, "airport")}
    assert kept == {origin: sum(row["origin"] == origin for row in weather) for origin in ("EWR", "JFK", "LGA")}
    for origin in kept:
        (file,) = (notebook.parent / "out" / "weather" / f"origin={origin}").glob("*.parquet")
        assert file.read_bytes()[:4] == file.read_bytes()[-4:] == b"PAR1"

    stored = {row["mime"]: (row["files"], row["bytes"]) for row in shown(done.stdout, "mime")}
    logs = [path.stat().st_size for path in (files / "departures").iterdir()]
    assert stored["text/plain"] == (7, sum(logs))
    assert stored["application/gzip"] == (1, (files / "weather.jsonl.gz").stat().st_size)


def test_nbclient(notebook: pathlib.Path) -> None:
    book = nbformat.read(notebook, as_version=4)
    nbclient.NotebookClient(book, timeout=120, resources={"metadata": {"path": str(notebook.parent)}}).execute()
    assert not [output for cell in book.cells for output in cell.get("outputs", []) if output.output_type == "error"]


@pytest.mark.parametrize("broken", ["log", "weather", "planes"])
def test_what_cannot_be_read_fails_the_run(run: Runner, notebook: pathlib.Path, broken: str) -> None:
    files = notebook.parent / "data" / "files"
    if broken == "log":
        with open(files / "departures" / "2013-01-03.log", "a", encoding="utf-8") as file:
            file.write("not a time EWR UA1 delay 3\n")
    elif broken == "weather":
        packed = files / "weather.jsonl.gz"
        packed.write_bytes(packed.read_bytes()[:-2_000])
    else:
        export = files / "planes-export.csv"
        export.write_bytes(export.read_bytes() + "one;field\r\n".encode("utf-16-le"))
    done = run(notebook)
    assert done.returncode == 1
    assert {"log": "departures", "weather": "weather", "planes": "planes"}[broken] + ".errors is empty" in done.stderr
