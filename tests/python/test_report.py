"""The notebook `report.ipynb`, as a job: its figures, computed again by hand from the files; its parameters; its failures."""

from __future__ import annotations

import csv
import json
import pathlib

import nbformat
import papermill
import pytest

from conftest import ROOT, Runner


@pytest.fixture
def report(quickstart: pathlib.Path) -> pathlib.Path:
    """A copy of the notebook with its data, three months of it."""
    for path in sorted((quickstart.parent / "data" / "flights").glob("*.csv"))[3:]:
        path.unlink()
    path = quickstart.parent / "report.ipynb"
    path.write_bytes((ROOT / "notebooks" / "report.ipynb").read_bytes())
    return path


def by_airline(folder: pathlib.Path, since: str, until: str, carriers: list[str], least: int) -> dict[str, tuple[int, int]]:
    """Flights and worst delay of each airline, read from the files with nothing of Tidebook."""
    with open(folder / "data" / "airlines.csv", encoding="utf-8", newline="") as file:
        names = {row["carrier"]: row["name"] for row in csv.DictReader(file)}
    delays: dict[str, list[int]] = {}
    for path in (folder / "data" / "flights").glob("*.csv"):
        with open(path, encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                chosen = since <= row["time_hour"][:10] <= until and (not carriers or row["carrier"] in carriers)
                if chosen and row["arr_delay"]:
                    delays.setdefault(names[row["carrier"]], []).append(int(row["arr_delay"]))
    return {name: (len(found), max(found)) for name, found in delays.items() if len(found) >= least}


def written(folder: pathlib.Path) -> dict[str, tuple[int, int]]:
    with open(folder / "out" / "report.csv", encoding="utf-8", newline="") as file:
        return {row["airline"]: (int(row["flights"]), int(row["worst"])) for row in csv.DictReader(file)}


CHOICES = {"since": "2013-02-03", "until": "2013-03-20", "carriers": ["UA", "B6", "OO"], "least": 50}


def test_as_it_is(run: Runner, report: pathlib.Path) -> None:
    done = run(report, "--format", "json")
    assert done.returncode == 0, done.stderr
    assert written(report.parent) == by_airline(report.parent, "2013-01-01", "2013-12-31", [], 100)
    cancelled = [json.loads(line) for line in done.stdout.splitlines()][1]
    assert [column["name"] for column in cancelled["columns"]] == ["day", "flights"] and len(cancelled["rows"]) == 5


def test_with_set(run: Runner, report: pathlib.Path) -> None:
    words = [word for name, value in CHOICES.items() for word in ("--set", f"{name}={value if isinstance(value, str) else json.dumps(value)}")]
    done = run(report, *words)
    assert done.returncode == 0, done.stderr
    assert written(report.parent) == by_airline(report.parent, **CHOICES)


def test_with_papermill(report: pathlib.Path) -> None:
    import tidebook.papermill  # noqa: F401  (an installed wheel is found by its entry point)

    papermill.execute_notebook(report, report.parent / "out.ipynb", CHOICES, cwd=report.parent, progress_bar=False)
    assert written(report.parent) == by_airline(report.parent, **CHOICES)
    done = nbformat.read(report.parent / "out.ipynb", as_version=4)
    injected = next(cell for cell in done.cells if "injected-parameters" in cell.metadata.get("tags", []))
    assert '%param carriers = ["UA", "B6", "OO"]' in injected.source


@pytest.mark.parametrize("break_it", ["since", "line", "airline"])
def test_a_reason_to_look_fails_the_job(run: Runner, report: pathlib.Path, break_it: str) -> None:
    words: list[str] = []
    expected = {"since": "`expect report is not empty`", "line": "`expect flights.errors is empty`", "airline": "`expect strangers is empty`"}
    if break_it == "since":
        words = ["--set", "since=2014-01-01", "--set", "until=2014-12-31"]
    elif break_it == "line":
        with open(next((report.parent / "data" / "flights").glob("*.csv")), "a", encoding="utf-8") as file:
            file.write("no,flight\n")
    else:
        airlines = report.parent / "data" / "airlines.csv"
        airlines.write_text("\n".join(line for line in airlines.read_text().splitlines() if not line.startswith("UA")) + "\n")
    done = run(report, *words)
    assert done.returncode == 1
    assert expected[break_it] in done.stderr
