"""Notebooks without a front end, through the runners that people use: what each says with its exit code."""

from __future__ import annotations

import os
import pathlib
import signal
import subprocess
import sys
import threading
from typing import Callable

import nbclient
import nbformat
import pytest
from nbclient.exceptions import CellTimeoutError, DeadKernelError

from conftest import Runner

GOOD = ['t = rows [ {a: 1}, {a: 2} ] then [ {a: 3} ]', "t | summarize total: sum(a)\nexpect t is not empty"]
LIVE = ["t = read demo.ticks(rate: 50)", "t | summarize n: count()", "expect t within 20s is not empty"]
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


@pytest.fixture
def runs(run: Runner, tmp_path: pathlib.Path) -> Callable[[str, pathlib.Path], subprocess.CompletedProcess[str]]:
    """Runs a notebook with one of the runners."""

    def runs(runner: str, path: pathlib.Path) -> subprocess.CompletedProcess[str]:
        if runner == "tidebook":
            return run(path.name)
        words = [*RUNNERS[runner], path.name, *(["out.ipynb"] if runner == "papermill" else [])]
        command = [sys.executable, "-m", *words]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)

    return runs


@pytest.mark.parametrize("runner", [*RUNNERS, "tidebook"])
@pytest.mark.parametrize("cells", [GOOD, LIVE], ids=["bounded", "live"])
def test_success_is_zero(runs, tmp_path: pathlib.Path, runner: str, cells: list[str]) -> None:
    done = runs(runner, notebook(tmp_path / "in.ipynb", *cells))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("runner", [*RUNNERS, "tidebook"])
@pytest.mark.parametrize("fault", BAD)
def test_a_failing_cell_is_one(runs, tmp_path: pathlib.Path, runner: str, fault: str) -> None:
    done = runs(runner, notebook(tmp_path / "in.ipynb", "%echo before", BAD[fault], "%echo after"))
    assert done.returncode == 1, done.stdout + done.stderr


@pytest.mark.parametrize("runner", ["nbconvert", "papermill", "tidebook"])
def test_what_is_saved_holds_the_last_state(runs, run: Runner, tmp_path: pathlib.Path, runner: str) -> None:
    (tmp_path / "in.csv").write_text("a\n" + "".join(f"{n}\n" for n in range(5_000)))
    path = notebook(tmp_path / "in.ipynb", 't = read csv("in.csv", watch: true)\nt | summarize n: count(), total: sum(a)')
    if runner == "tidebook":
        assert run(path.name, "--output", "done.ipynb").returncode == 0
    else:
        assert runs(runner, path).returncode == 0
    result = nbformat.read(tmp_path / ("out.ipynb" if runner == "papermill" else "done.ipynb"), as_version=4)
    nbformat.validate(result)
    table = result.cells[0].outputs[-1].data
    assert "5,000" in table["text/plain"].replace("5000", "5,000") and "12" in table["text/plain"]
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
    gone = threading.Event()
    for _ in range(200):
        try:
            os.kill(seen[0], 0)
        except ProcessLookupError:
            return
        gone.wait(0.05)
    raise AssertionError("the kernel is still there")
