"""Tables that move: what a notebook sees after its cells have finished."""

from __future__ import annotations

import os
import pathlib
import time

import pytest

from front_end import DEADLINE_S, FrontEnd
from html_table import Table

PRICES = "prices = rows [ {name: 'pen', price: 1.5}, {name: 'ink', price: 4.0} ]\n"


def write(path: pathlib.Path, text: str) -> None:
    """Puts a whole file in place at once, as a careful sender does."""
    fresh = path.with_name(path.name + ".new")
    fresh.write_text(text)
    os.replace(fresh, path)


def append(path: pathlib.Path, text: str) -> None:
    with open(path, "a", encoding="utf-8") as file:
        file.write(text)


def has_rows(*rows: list[str | None]):
    return lambda table: table.rows == list(rows)


class TestWatchedFiles:
    """`watch: true`, through every event that a file can have."""

    @pytest.fixture
    def sums(self, front_end: FrontEnd, tmp_path: pathlib.Path) -> str:
        """The display of a table that sums a watched folder with one file in it: pen 3, ink 1."""
        (tmp_path / "in").mkdir()
        (tmp_path / "in" / "a.csv").write_text("name,qty\npen,2\nink,1\npen,1\n")
        front_end.run('orders = read csv("in/*.csv", watch: true) { name: text, qty: int }').ok()
        done = front_end.run("orders | summarize qty: sum(qty) by name | sort name").ok()
        (display,) = done.shown
        assert front_end.table(display).rows == [["ink", "1"], ["pen", "3"]], "the reply came before the contents"
        return display

    def test_lines_are_appended(self, front_end: FrontEnd, tmp_path: pathlib.Path, sums: str) -> None:
        append(tmp_path / "in" / "a.csv", "ink,5\nquill,1\n")
        front_end.wait_for(sums, has_rows(["ink", "6"], ["pen", "3"], ["quill", "1"]))

    def test_half_a_line_waits_for_its_other_half(self, front_end: FrontEnd, tmp_path: pathlib.Path, sums: str) -> None:
        append(tmp_path / "in" / "a.csv", "ink,5\nqui")
        front_end.wait_for(sums, has_rows(["ink", "6"], ["pen", "3"]))
        append(tmp_path / "in" / "a.csv", "ll,7\n")
        front_end.wait_for(sums, has_rows(["ink", "6"], ["pen", "3"], ["quill", "7"]))

    def test_a_file_comes_changes_and_goes(self, front_end: FrontEnd, tmp_path: pathlib.Path, sums: str) -> None:
        second = tmp_path / "in" / "b.csv"
        write(second, "name,qty\nink,10\n")
        front_end.wait_for(sums, has_rows(["ink", "11"], ["pen", "3"]))
        write(second, "name,qty\nink,20\npen,20\n")
        front_end.wait_for(sums, has_rows(["ink", "21"], ["pen", "23"]))
        second.unlink()
        front_end.wait_for(sums, has_rows(["ink", "1"], ["pen", "3"]))

    def test_a_changed_file_is_one_step(self, front_end: FrontEnd, tmp_path: pathlib.Path, sums: str) -> None:
        """The old rows go and the new ones come in one epoch: the table never shows the file's absence."""
        for qty in range(2, 12):
            write(tmp_path / "in" / "a.csv", f"name,qty\npen,{qty}\nink,1\n")
            front_end.wait_for(sums, has_rows(["ink", "1"], ["pen", str(qty)]))
        assert all(len(frame.rows) == 2 for frame in front_end.frames(sums))

    def test_a_malformed_line_is_set_aside(self, front_end: FrontEnd, tmp_path: pathlib.Path, sums: str) -> None:
        shown = front_end.run("orders.errors | select file, line, text").ok().shown[0]
        assert front_end.table(shown).rows == []
        append(tmp_path / "in" / "a.csv", "ink,many\nink,2\n")
        front_end.wait_for(sums, has_rows(["ink", "3"], ["pen", "3"]))
        (row,) = front_end.wait_for(shown, lambda table: len(table.rows) == 1).rows
        assert row[0] is not None and row[0].endswith("a.csv")
        assert row[1:] == ["5", "ink,many"]
        write(tmp_path / "in" / "a.csv", "name,qty\npen,1\n")
        front_end.wait_for(shown, lambda table: table.rows == [])
        front_end.wait_for(sums, has_rows(["pen", "1"]))


class TestRedefinition:
    def test_dependents_follow_in_place_and_others_stay(self, front_end: FrontEnd) -> None:
        front_end.run(PRICES, cell="prices").ok()
        dear = front_end.run("dear = prices | where price > 2.0\ndear", cell="dear").ok().shown[0]
        other = front_end.run("other = rows [ {a: 1} ]\nother", cell="other").ok().shown[0]
        frames = len(front_end.screen[other])
        front_end.run(PRICES.replace("1.5", "2.5"), cell="prices").ok()
        front_end.wait_for(dear, lambda table: sorted(table.rows) == [["ink", "4"], ["pen", "2.5"]] or sorted(table.rows) == [["ink", "4.0"], ["pen", "2.5"]])
        assert len(front_end.screen[other]) == frames

    @pytest.mark.parametrize("step", ["join names using (k) | select name, v", "semi join names using (k) | select v", "summarize v: sum(v) by k"])
    @pytest.mark.parametrize("watch", ["false", "true"])
    def test_under_a_step_with_state(self, front_end: FrontEnd, tmp_path: pathlib.Path, step: str, watch: str) -> None:
        """The new program reads arrangements of the one that it replaces."""
        (tmp_path / "names.csv").write_text("k,name\n1,pen\n2,ink\n")
        (tmp_path / "facts.csv").write_text("k,v\n1,10\n2,20\n1,5\n")
        front_end.run(f'names = read csv("names.csv")\nfacts = read csv("facts.csv", watch: {watch})', cell="read").ok()
        front_end.run("some = facts | where v > 6", cell="some").ok()
        shown = front_end.run(f"out = some | {step}\nout | sort v", cell="out").ok().shown[0]
        assert front_end.table(shown).column("v") == ["10", "20"]
        front_end.run("some = facts | where v > 15", cell="some").ok()
        front_end.wait_for(shown, lambda table: table.column("v") == ["20"])
        front_end.run("some = facts | where v < 15", cell="some").ok()
        front_end.wait_for(shown, lambda table: "20" not in table.column("v"))

    def test_a_dependent_that_no_longer_fits_says_so(self, front_end: FrontEnd) -> None:
        front_end.run(PRICES, cell="prices").ok()
        dear = front_end.run("dear = prices | where price > 2.0\ndear", cell="dear").ok().shown[0]
        done = front_end.run("prices = rows [ {name: 'pen'} ]", cell="prices")
        complaint = front_end.screen[dear][-1]["text/plain"] + "".join(done.reply["content"].get("traceback", []))
        complaint += done.stream("stderr") + str([m["content"] for m in done.of("display_data")])
        assert "price" in complaint, "somebody has to say that `dear` has lost its column"
        front_end.run(PRICES, cell="prices").ok()
        front_end.wait_for(dear, lambda table: table.column("name") == ["ink"])

    def test_running_the_same_cell_again_shows_once(self, front_end: FrontEnd) -> None:
        for _ in range(3):
            done = front_end.run("t = rows [ {a: 1} ]\nt", cell="same").ok()
            assert len(done.shown) == 1
            assert front_end.table(done.shown[0]).rows == [["1"]]


LATE = {
    "files": ('src = read csv("in/*.csv") { n: int, value: float }', 400),
    "watched files": ('src = read csv("in/*.csv", watch: true) { n: int, value: float }', 400),
    "jsonl": ('src = read jsonl("in/*.jsonl") { n: int, value: float }', 400),
    "rows": ("src = rows [ {n: 1, value: 0.5} ] then [ {n: 2, value: 1.5} ] then [ -{n: 1, value: 0.5}, {n: 3, value: 2.0} ]", 2),
    "ticks": ("src = read demo.ticks(rate: 1000, rows: 500)", 500),
}
SUMMARY = "src | summarize n: count(), total: sum(value), least: min(n), most: max(n)"


@pytest.mark.parametrize("kind", LATE)
def test_a_late_reader_sees_what_an_early_one_does(front_end: FrontEnd, tmp_path: pathlib.Path, kind: str) -> None:
    """The second reader comes when the source has been running for a while, and gets everything."""
    definition, rows = LATE[kind]
    (tmp_path / "in").mkdir()
    for part in range(4):
        numbers = range(part * 100, part * 100 + 100)
        (tmp_path / "in" / f"{part}.csv").write_text("n,value\n" + "".join(f"{n},{n / 7!r}\n" for n in numbers))
        (tmp_path / "in" / f"{part}.jsonl").write_text("".join(f'{{"n": {n}, "value": {n / 7!r}}}\n' for n in numbers))
    front_end.run(definition).ok()
    early = front_end.run(f"early = {SUMMARY}\nearly").ok().shown[0]
    some = min(rows, 50)
    front_end.wait_for(early, lambda table: table.rows != [] and table.numbers("n")[0] >= some)
    late = front_end.run(f"late_one = {SUMMARY.replace('least: min(n), ', '')}\nlate_one").ok().shown[0]
    done = front_end.wait_for(early, lambda table: table.numbers("n") == [rows])
    again = front_end.wait_for(late, lambda table: table.numbers("n") == [rows])
    for column in ("n", "total", "most"):
        assert done.column(column) == again.column(column)
    front_end.run("short = early | select n, total, most\nexpect short equals late_one").ok()


def test_a_late_reader_of_an_endless_stream_agrees_at_every_epoch(front_end: FrontEnd) -> None:
    front_end.run("ticks = read demo.ticks(rate: 500)").ok()
    early = front_end.run("early = ticks | summarize n: count(), total: sum(value) by lane: n % 3\nearly").ok().shown[0]
    front_end.wait_for(early, lambda table: sum(table.numbers("n")) >= 100)
    # Spelt otherwise, so that it is a program of its own and not the same one shared.
    front_end.run("late_one = ticks | derive lane: n % 3 | where lane >= 0 | summarize n: count(), total: sum(value) by lane").ok()
    front_end.run("apart = early | anti join late_one on early.lane == late_one.lane and early.n == late_one.n and early.total == late_one.total").ok()
    shown = front_end.run("apart").ok().shown[0]
    seen = sum(front_end.table(early).numbers("n"))
    front_end.wait_for(early, lambda table: sum(table.numbers("n")) >= seen + 200)
    assert all(frame.rows == [] for frame in front_end.frames(shown)), "the two differed at some epoch"


class Process:
    """What the system says about the kernel's process."""

    def __init__(self, pid: int):
        self.folder = pathlib.Path("/proc") / str(pid)

    @property
    def threads(self) -> int:
        return len(list((self.folder / "task").iterdir()))

    @property
    def files(self) -> int:
        return len(self.open_files)

    @property
    def open_files(self) -> list[str]:
        return sorted(os.readlink(entry) for entry in (self.folder / "fd").iterdir())

    @property
    def resident_mib(self) -> float:
        (line,) = [line for line in (self.folder / "status").read_text().splitlines() if line.startswith("VmRSS")]
        return int(line.split()[1]) / 1024


def test_a_hundred_redefinitions_leave_nothing_behind(front_end: FrontEnd, tmp_path: pathlib.Path) -> None:
    """Two cells are run again and again while a stream runs: what they held is given back, and who is not concerned
    notices nothing."""
    orders = tmp_path / "orders.csv"
    orders.write_text("name,qty\n" + "".join(f"item{n % 50},{n}\n" for n in range(5_000)))
    front_end.run("ticks = read demo.ticks(rate: 200)").ok()
    bystander = front_end.run("ticks | summarize n: count(), most: max(n)", cell="bystander").ok().shown[0]
    process = Process(front_end.pid)

    def redefine(round_number: int) -> None:
        watched = f'orders = read csv("orders.csv", watch: true)\norders | where qty > {round_number} | summarize n: count()'
        stream = f"scaled = ticks | derive v: value * {round_number}.0\nscaled | summarize n: count(), v: sum(v) by lane: n % 5"
        done = front_end.run(watched, cell="watched").ok()
        assert front_end.table(done.shown[0]).numbers("n") == [4_999 - round_number]
        front_end.run(stream, cell="stream").ok()

    for round_number in range(1, 21):
        redefine(round_number)
    threads, files, resident_mib = process.threads, process.files, process.resident_mib
    for round_number in range(21, 121):
        redefine(round_number)
    # What was dropped ends in its own time; the kernel answers meanwhile.
    end = time.monotonic() + DEADLINE_S
    while (process.threads > threads or process.files > files) and time.monotonic() < end:
        front_end.run("%echo").ok()
    assert process.threads <= threads
    assert process.files <= files, process.open_files
    # The bystander's arrangement grows by a row a tick, the allocator keeps pages: level means no more than this.
    assert process.resident_mib <= resident_mib * 1.25 + 16, "memory grows with redefinitions"

    counts = [frame.numbers("n")[0] for frame in front_end.frames(bystander) if frame.rows]
    assert counts == sorted(counts), "the bystander went back"
    most = front_end.table(bystander)
    assert most.numbers("n")[0] == pytest.approx(most.numbers("most")[0] + 1, abs=1), "a tick was lost or read twice"
    last = counts[-1]
    front_end.wait_for(bystander, lambda table: table.numbers("n")[0] > last)


def test_frames_are_few(front_end: FrontEnd) -> None:
    """A fast stream gives a few frames a second, not one a change."""
    front_end.run("ticks = read demo.ticks(rate: 5000)").ok()
    shown = front_end.run("ticks | summarize n: count()").ok().shown[0]

    def count(table: Table) -> float:
        return table.numbers("n")[0] if table.rows else 0.0

    first, begun = count(front_end.table(shown)), len(front_end.screen[shown])
    front_end.wait_for(shown, lambda table: count(table) >= first + 10_000)
    seconds = (count(front_end.table(shown)) - first) / 5000
    assert len(front_end.screen[shown]) - begun <= 5 * seconds + 2


def test_stop_ends_a_view(front_end: FrontEnd) -> None:
    front_end.run("ticks = read demo.ticks(rate: 100)\nn = ticks | summarize n: count()").ok()
    shown = front_end.run("n").ok().shown[0]
    front_end.wait_for(shown, lambda table: table.rows != [] and table.numbers("n")[0] > 10)
    front_end.run("%stop n").ok()
    stopped = front_end.run("%echo settled").ok()
    assert stopped.stream("stdout") == "settled\n"
    front_end.wait_for(shown, lambda _: front_end.text(shown).splitlines()[0].endswith(", stopped"))
    frames = len(front_end.screen[shown])
    # A view of the same stream that starts now and moves on: the stopped one would have moved with it.
    witness = front_end.run("ticks | summarize most: max(n)").ok().shown[0]
    front_end.wait_for(witness, lambda table: table.rows != [] and table.numbers("most")[0] > 200)
    assert len(front_end.screen[shown]) == frames, "it moves after its last frame"
