"""Notebooks without a front end, through the runners that people use: what each says with its exit code."""

from __future__ import annotations

import os
import pathlib
import shutil
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Callable, Sequence

import nbclient
import nbformat
import pytest
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

from conftest import Runner

GOOD = ['t = rows [ {a: 1}, {a: 2} ] then [ {a: 3} ]', "t | summarize total: sum(a)\nexpect t is not empty"]
LIVE = ["u = read demo.ticks(rate: 50)", "u | summarize n: count()", "expect u within 20s is not empty"]
BAD = {
    "a fault of the text": "t = rows [ {a: 1} ]\nt | where b > 1",
    "a fault of the syntax": "t = rows [",
    "an expectation": "t = rows [ {a: 1} ]\nexpect t is empty",
    "a source that is not there": 't = read csv("not/there.csv")\nt',
    "a magic of another kernel": "%%bash\nls",
}
RUNNERS: dict[str, list[str]] = {
    "nbconvert": ["nbconvert", "--execute", "--to", "notebook", "--output", "done"],
    "nbconvert to html": ["nbconvert", "--execute", "--to", "html", "--output", "done"],
    "execute": ["jupyter", "execute"],
    "papermill": ["papermill", "--no-progress-bar"],
    "nbmake": ["pytest", "--nbmake", "-p", "no:cacheprovider"],
}


def notebook(path: pathlib.Path, *cells: str) -> pathlib.Path:
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    book.metadata.kernelspec = {"name": "tide", "display_name": "Tide (Tidebook)", "language": "tide"}
    nbformat.write(book, path)
    return path


Results = dict[str, subprocess.CompletedProcess[str]]


@pytest.fixture
def runs(tidebook: pathlib.Path, tmp_path: pathlib.Path) -> Callable[..., Results]:
    """Runs a notebook with each of some runners, as many at once as the machine has processors: a runner spends most of its
    time on its own start. Each runs in a folder of its own, with a copy of `beside`."""

    def one(runner: str, cells: Sequence[str], beside: Sequence[pathlib.Path]) -> subprocess.CompletedProcess[str]:
        folder = tmp_path / runner.replace(" ", "-")
        folder.mkdir()
        path = notebook(folder / "in.ipynb", *cells)
        for file in beside:
            shutil.copy(file, folder)
        output = {"papermill": ["out.ipynb"], "tidebook": ["--output", "done.ipynb"]}.get(runner, [])
        command = [str(tidebook), "run"] if runner == "tidebook" else [sys.executable, "-m", *RUNNERS[runner]]
        words = [*command, path.name, *output]
        return subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=200, stdin=subprocess.DEVNULL)

    def runs(cells: Sequence[str], runners: Sequence[str] = (*RUNNERS, "tidebook"), beside: Sequence[pathlib.Path] = ()) -> Results:
        with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
            return dict(zip(runners, pool.map(lambda runner: one(runner, cells, beside), runners), strict=True))

    return runs


def codes(results: Results) -> dict[str, int]:
    return {runner: done.returncode for runner, done in results.items()}


def said(results: Results) -> str:
    return "\n".join(f"--- {runner}\n{done.stdout}{done.stderr}" for runner, done in results.items())


def test_success_is_zero(runs: Callable[..., Results]) -> None:
    """A notebook with bounded and with live tables."""
    results = runs([*GOOD, *LIVE])
    assert codes(results) == dict.fromkeys(results, 0), said(results)


@pytest.mark.parametrize("fault", ["a fault of the text", "an expectation"])
def test_a_failing_cell_is_one(runs: Callable[..., Results], fault: str) -> None:
    results = runs(["%echo before", BAD[fault], "%echo after"])
    assert codes(results) == dict.fromkeys(results, 1), said(results)


@pytest.mark.parametrize("fault", BAD)
def test_every_fault_fails_a_run(runs: Callable[..., Results], tmp_path: pathlib.Path, fault: str) -> None:
    """All of Jupyter's runners stand on nbclient: what it takes for a failure, they do. `tidebook run` is its own runner."""
    cells = ["%echo before", BAD[fault], "%echo after"]
    results = runs(cells, ["tidebook"])
    assert codes(results) == {"tidebook": 1}, said(results)
    book = nbformat.read(notebook(tmp_path / "in.ipynb", *cells), as_version=4)
    with pytest.raises(CellExecutionError):
        nbclient.NotebookClient(book, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert book.cells[1].outputs[-1].output_type == "error" and not book.cells[2].outputs


def test_what_is_saved_holds_the_last_state(runs: Callable[..., Results], tmp_path: pathlib.Path) -> None:
    (tmp_path / "in.csv").write_text("a\n" + "".join(f"{n}\n" for n in range(5_000)))
    cells = ['t = read csv("in.csv", watch: true)\nt | summarize n: count(), total: sum(a)']
    results = runs(cells, ["nbconvert", "papermill", "tidebook"], [tmp_path / "in.csv"])
    assert codes(results) == dict.fromkeys(results, 0), said(results)
    for runner in results:
        result = nbformat.read(tmp_path / runner / ("out.ipynb" if runner == "papermill" else "done.ipynb"), as_version=4)
        nbformat.validate(result)
        table = result.cells[0].outputs[-1].data
        assert table["text/plain"].splitlines()[-1].split() == ["5000", "12497500"], runner
        assert "<table" in table["text/html"]
        language = result.metadata.language_info
        assert (language.name, language.pygments_lexer, language.mimetype) == ("tide", "tide", "text/x-tide")


def test_html_without_the_lexer_is_plain_and_no_failure(tmp_path: pathlib.Path, run: Runner) -> None:
    """Here no wheel is installed: the lexer that the notebook names is not there."""
    path = notebook(tmp_path / "in.ipynb", *GOOD)
    assert run(path.name, "--output", "done.ipynb").returncode == 0
    command = [sys.executable, "-m", "nbconvert", "--to", "html", "done.ipynb"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "done.html").read_text(encoding="utf-8")
    assert "t | summarize total: sum(a)" in page and 'class="err"' not in page


def wait_until(holds: Callable[[], bool], deadline_s: float = 60) -> None:
    """Waits for what nobody tells: it looks now and then."""
    pause, end = threading.Event(), time.monotonic() + deadline_s
    while not holds():
        assert time.monotonic() < end, "it never came"
        pause.wait(0.05)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


WAITS = "t = read demo.ticks(rate: 5)\nexpect t within 100s is empty"


def client(tmp_path: pathlib.Path, **options: object) -> nbclient.NotebookClient:
    book = nbformat.read(notebook(tmp_path / "in.ipynb", "%echo one", WAITS, "%echo two"), as_version=4)
    return nbclient.NotebookClient(book, resources={"metadata": {"path": str(tmp_path)}}, **options)


def test_a_timeout_ends_the_run(tmp_path: pathlib.Path) -> None:
    with pytest.raises(CellTimeoutError):
        client(tmp_path, timeout=2).execute()


def test_a_timeout_that_interrupts_lets_the_rest_run(tmp_path: pathlib.Path) -> None:
    running = client(tmp_path, timeout=2, interrupt_on_timeout=True, allow_errors=True)
    running.execute()
    assert running.nb.cells[1].outputs[-1].ename == "Interrupted"
    assert running.nb.cells[2].outputs[-1].text == "two\n"


def test_a_timeout_of_a_run_is_one_and_says_so(run: Runner, tmp_path: pathlib.Path) -> None:
    (tmp_path / "t.tide").write_text('t = read demo.replay("gaps.csv", time: at)\nt\n')
    (tmp_path / "gaps.csv").write_text("at\n2026-01-01T00:00:00Z\n2026-01-02T00:00:00Z\n")
    done = run("t.tide", "--timeout", "2s", deadline_s=60)
    assert done.returncode == 1
    assert "the time is up" in done.stderr


def test_the_time_of_a_run_ends_a_wait_as_well(run: Runner, tmp_path: pathlib.Path) -> None:
    (tmp_path / "t.tide").write_text("t = rows [ {n: 1} ] | where n < 0\nexpect t within 3600s is not empty\n%echo after\n")
    done = run("t.tide", "--timeout", "1s", deadline_s=60)
    assert done.returncode == 1
    assert "the time is up and `expect t" in done.stderr and "the table is empty" in done.stderr


@pytest.mark.parametrize("follow", [[], ["--follow"]], ids=["run", "follow"])
def test_an_interrupt_ends_a_run_and_every_wait_in_it(tidebook: pathlib.Path, tmp_path: pathlib.Path, follow: list[str]) -> None:
    waits = [f"expect t within {3600 + n}s is not empty" for n in range(3)]
    (tmp_path / "t.tide").write_text("\n".join(["t = rows [ {n: 1} ] | where n < 0", *waits]))
    # The sink's file shows that the outputs have been installed: from then on the run waits.
    with open(tmp_path / "t.tide", "a", encoding="utf-8") as file:
        file.write('\nrows [ {a: 1} ] | write jsonl("out.jsonl", mode: append)\n')
    command = [str(tidebook), "run", "t.tide", *follow]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        wait_until(lambda: (tmp_path / "out.jsonl").exists())
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "interrupted" in said


def test_a_kernel_that_dies_fails_the_run(tmp_path: pathlib.Path) -> None:
    running = client(tmp_path, timeout=60)

    def kill(cell: object, cell_index: int) -> None:
        if cell_index == 1:
            os.kill(running.km.provisioner.pid, signal.SIGKILL)

    running.on_cell_execute = kill
    with pytest.raises((DeadKernelError, RuntimeError)):
        running.execute()


def test_nobody_is_left_when_a_run_is_over(tmp_path: pathlib.Path) -> None:
    """The kernel ends with its runner, also with a live source."""
    path = notebook(tmp_path / "in.ipynb", *LIVE)
    book = nbformat.read(path, as_version=4)
    running = nbclient.NotebookClient(book, resources={"metadata": {"path": str(tmp_path)}})
    seen: list[int] = []
    running.on_cell_executed = lambda **_: seen.append(running.km.provisioner.pid)
    running.execute()
    wait_until(lambda: not alive(seen[0]))
