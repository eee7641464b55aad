"""Times each query as a whole process, Tidebook beside DuckDB: wall and CPU seconds, the least of some runs, and the memory.

    python measure.py FOLDER [--runs 3] [--workers 1] [q1 q5 …]

FOLDER is one that `events.py` has written. Nothing is compared here; `tests/python/test_nexmark.py` does that. DuckDB reads
the same files with as many threads, in a Python process whose start is counted as well.
"""

import argparse
import os
import pathlib
import subprocess
import sys
import time

NEXMARK = pathlib.Path(__file__).resolve().parent
TYPES = {
    "persons": "id bigint, name text, email text, card text, city text, state text, at timestamp, extra text",
    "auctions": "id bigint, item text, description text, initial bigint, reserve bigint, at timestamp, expires timestamp, "
    "seller bigint, category bigint, extra text",
    "bids": "auction bigint, bidder bigint, price bigint, channel text, url text, at timestamp, extra text",
}
DUCKDB = """
import duckdb, sys
database = duckdb.connect(config={"threads": int(sys.argv[1])})
for statement in sys.argv[3:]:
    database.execute(statement)
database.execute(open(sys.argv[2]).read()).fetchall()
"""


def timed(command: list[object]) -> tuple[float, float, float]:
    """Wall seconds, CPU seconds and the most memory in MB of a process."""
    since = time.perf_counter()
    process = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - since
    if status:
        raise SystemExit(f"{command[0]} ended with {status}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def duckdb_command(folder: pathlib.Path, query: str, workers: int) -> list[object]:
    views = []
    for name, columns in TYPES.items():
        pairs = ", ".join("\"{}\": '{}'".format(*column.split()) for column in columns.split(", "))
        views.append(f"create view {name} as select * from read_json('{folder / name}.jsonl', columns = {{{pairs}}})")
    views.append(f"create view side as select * from read_csv('{folder / 'side.csv'}')")
    return [sys.executable, "-c", DUCKDB, workers, NEXMARK / f"{query}.sql", *views]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("queries", nargs="*")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--workers", type=int, default=1)
    given = parser.parse_args()
    folder = given.folder.resolve()
    queries = given.queries or sorted((path.stem for path in NEXMARK.glob("q*.tide")), key=lambda name: int(name[1:]))
    program = os.environ.get("TIDEBOOK_BIN", "target/release/tidebook")
    print(f"{'':5}{'tidebook: wall':>16}{'cpu s':>8}{'MB':>7}{'duckdb: wall':>16}{'cpu s':>8}{'MB':>7}")
    for query in queries:
        script = folder / f"{query}.tide"
        # What is measured is the query, not the printing of its rows.
        text = (NEXMARK / f"{query}.tide").read_text()
        script.write_text((NEXMARK / "tables.tide").read_text() + text)
        ours = [timed([program, "run", "--workers", given.workers, script]) for _ in range(given.runs)]
        theirs = [timed(duckdb_command(folder, query, given.workers)) for _ in range(given.runs)]
        line = "".join(
            f"{min(run[0] for run in runs):16.2f}{min(run[1] for run in runs):8.2f}{min(run[2] for run in runs):7.0f}" for runs in (ours, theirs)
        )
        print(f"{query:5}{line}", flush=True)


if __name__ == "__main__":
    main()
