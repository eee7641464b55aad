"""Plays an airline's daily delivery, so that the tables of the quickstart have something to follow.

The notebook reads `data/flights/*.csv` with `watch: true`. This program writes one more file there, `2014-01.csv`,
as an unreliable sender would: flights come in one by one, now and then a delay is corrected in a line that was
written before, a line arrives broken and is mended later. The flights are those of January 2013 with the year moved on.

    .venv/bin/python notebooks/feed.py             60 flights, two a second, then stop
    .venv/bin/python notebooks/feed.py --undo      takes the file away again
"""

import argparse
import csv
import datetime
import os
import pathlib
import sys
import time

NOTEBOOKS = pathlib.Path(__file__).resolve().parent
BROKEN = "this line is not a flight\n"
CORRECT_EVERY = 5
"""After so many flights, one of them is corrected."""


class Feed:
    """The sender. It keeps the lines that it has written, and knows no clock: each call is one event."""

    def __init__(self, data: pathlib.Path):
        self.folder = data / "flights"
        self.path = self.folder / "2014-01.csv"
        self.lines: list[str] = []
        with open(self.folder / "2013-01.csv", encoding="utf-8", newline="") as file:
            self.header = file.readline()
            self.column = {name: i for i, name in enumerate(next(csv.reader([self.header])))}
            self.template = [line for line in file if line.strip()]

    def field(self, line: str, name: str) -> str:
        """The text of a column in a line."""
        return line.rstrip("\r\n").split(",")[self.column[name]]

    def replace_field(self, line: str, name: str, value: str) -> str:
        """The line with one column replaced. No field of this data is quoted."""
        fields = line.rstrip("\r\n").split(",")
        fields[self.column[name]] = value
        return ",".join(fields) + "\n"

    def arrive(self, count: int = 1) -> list[str]:
        """Appends the next `count` flights in one write, and gives their lines."""
        fresh = []
        for line in self.template[len(self.lines) : len(self.lines) + count]:
            hour = datetime.datetime.strptime(self.field(line, "time_hour"), "%Y-%m-%dT%H:%M:%SZ")
            line = self.replace_field(line, "year", "2014")
            line = self.replace_field(line, "time_hour", hour.replace(year=2014).strftime("%Y-%m-%dT%H:%M:%SZ"))
            fresh.append(line)
        self._append(fresh)
        return fresh

    def correct(self, index: int, more_minutes: int) -> str:
        """Raises the delay on arrival of a line that was already sent; the whole file is replaced in one step."""
        delay = self.field(self.lines[index], "arr_delay")
        self.lines[index] = self.replace_field(self.lines[index], "arr_delay", str(int(delay or 0) + more_minutes))
        self._rewrite()
        return self.lines[index]

    def send_broken(self) -> None:
        """Appends a line that is no flight."""
        self._append([BROKEN])

    def mend(self) -> None:
        """Takes the broken lines away."""
        self.lines = [line for line in self.lines if line != BROKEN]
        self._rewrite()

    def undo(self) -> None:
        """Takes the file away, as if nothing had been sent."""
        self.lines = []
        self.path.unlink(missing_ok=True)

    def _append(self, lines: list[str]) -> None:
        start = self.header if not self.path.exists() else ""
        with open(self.path, "a", encoding="utf-8", newline="") as file:
            file.write(start + "".join(lines))
        self.lines += lines

    def _rewrite(self) -> None:
        # A reader must never see half of it; the name of the new file does not match `*.csv`.
        fresh = self.path.with_suffix(".csv.new")
        fresh.write_text(self.header + "".join(self.lines), encoding="utf-8", newline="")
        os.replace(fresh, self.path)


def play(feed: Feed, flights: int, every_s: float) -> None:
    """The whole story, with a line on standard output for each event."""
    for number in range(1, min(flights, len(feed.template)) + 1):
        line = feed.arrive()[0]
        say = f"{number:>4}  {feed.field(line, 'carrier')} {feed.field(line, 'flight'):>4}"
        print(f"{say}  {feed.field(line, 'origin')} to {feed.field(line, 'dest')}, delay {feed.field(line, 'arr_delay')}")
        if number % CORRECT_EVERY == 0:
            line = feed.correct(number - CORRECT_EVERY, 60)
            flight = f"{feed.field(line, 'carrier')} {feed.field(line, 'flight')}"
            print(f"      corrected: {flight} came an hour later, delay {feed.field(line, 'arr_delay')}")
        time.sleep(every_s)
    feed.send_broken()
    print("      a broken line: look at `%errors flights`")
    time.sleep(10 * every_s)
    feed.mend()
    print(f"      mended. All of it is in {feed.path}; `--undo` takes it away.")


def main() -> None:
    words = argparse.ArgumentParser(description="feeds the quickstart's watched folder")
    words.add_argument("--data", type=pathlib.Path, default=NOTEBOOKS / "data", help="folder made by make_data.py")
    words.add_argument("--flights", type=int, default=60, help="how many flights to send")
    words.add_argument("--every", type=float, default=0.5, metavar="SECONDS", help="pause between two of them")
    words.add_argument("--undo", action="store_true", help="take away what was sent")
    chosen = words.parse_args()
    if not (chosen.data / "flights" / "2013-01.csv").exists():
        sys.exit(f"feed.py: no data in {chosen.data}; run `make data` first")
    feed = Feed(chosen.data)
    feed.undo()
    if not chosen.undo:
        play(feed, chosen.flights, chosen.every)


if __name__ == "__main__":
    main()
