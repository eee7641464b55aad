"""`tidebook run --follow` and signals: a run that goes on until it is told to end."""

from __future__ import annotations

import json
import pathlib
import shutil
import signal
import subprocess
from collections.abc import Iterator

import pytest

SCRIPT = """
t = read jsonl("logs/*.jsonl", watch: true) { a: int }
t | summarize n: count(), s: sum(a) | write jsonl("sums.jsonl", mode: changes)
"""

# In a namespace of its own the process gets no notices of the file system, as on a machine that has none left.
BLIND = ["unshare", "--user", "--map-root-user", "sh", "-c", 'echo 0 > /proc/sys/user/max_inotify_instances && exec "$@"', "sh"]


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "a.jsonl").write_text('{"a": 1}\n')
    (tmp_path / "sums.tide").write_text(SCRIPT)
    return tmp_path


def sums(folder: pathlib.Path, process: subprocess.Popen[str]) -> Iterator[tuple[int, int]]:
    """Number and sum of the rows, each time they change."""
    (folder / "sums.jsonl").touch()
    with subprocess.Popen(["tail", "-n", "+1", "-F", folder / "sums.jsonl"], stdout=subprocess.PIPE, text=True) as tail:
        try:
            for line in tail.stdout:
                change = json.loads(line)
                if change["_diff"] > 0:
                    yield change["n"], change["s"]
            raise AssertionError(process.stderr.read())
        finally:
            tail.kill()


@pytest.mark.timeout(120)
@pytest.mark.parametrize("blind", [False, True], ids=["notices", "without notices"])
def test_files_are_followed(tidebook: pathlib.Path, folder: pathlib.Path, blind: bool) -> None:
    """What is appended, added, replaced and removed arrives, whether or not the system tells of it."""
    command = [*(BLIND if blind else []), tidebook, "run", "--follow", folder / "sums.tide"]
    environment = {"RUST_LOG": "warn", "PATH": "/usr/bin:/bin"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment) as process:
        seen = sums(folder, process)
        try:
            logs = folder / "logs"
            steps = [
                (lambda: None, (1, 1)),
                (lambda: (logs / "a.jsonl").open("a").write('{"a": 2}\n'), (2, 3)),
                (lambda: (logs / "b.jsonl").write_text('{"a": 10}\n'), (3, 13)),
                (lambda: shutil.move(shutil.copy(logs / "a.jsonl", folder / "new"), logs / "b.jsonl"), (4, 6)),
                (lambda: (logs / "b.jsonl").unlink(), (2, 3)),
            ]
            for act, expected in steps:
                act()
                # On the way a file may be seen before all of it is written.
                assert expected in seen
        finally:
            process.send_signal(signal.SIGINT)
        _, told = process.communicate()
        assert process.returncode == 0, told
        assert ("no file notices" in told) == blind, told


@pytest.mark.timeout(120)
def test_a_run_that_cannot_print_ends_when_it_is_told_to(tidebook: pathlib.Path, folder: pathlib.Path) -> None:
    (folder / "long.tide").write_text("read demo.ticks(rate: 1000000, rows: 20000)\n")
    command = [tidebook, "run", "--format", "json", folder / "long.tide"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        # It has begun to print, to somebody who does not read on.
        assert process.stdout.read(1) == b"{"
        process.send_signal(signal.SIGTERM)
        assert process.wait() == 143
        process.stdout.close()
