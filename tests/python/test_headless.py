"""`tidebook run`: exit codes, and the shapes that other programs read."""

from __future__ import annotations

import json
import pathlib
import subprocess

import nbformat
import pytest

from conftest import ROOT, Runner

PROGRAM = """
param least: int = 2
orders = rows [ {id: 1, name: "pen", qty: 3}, {id: 2, name: "ink", qty: 1}, {id: 3, name: "pen", qty: 2} ]
      then [ -{id: 2, name: "ink", qty: 1}, {id: 2, name: "ink", qty: 5} ]
orders | where qty >= least | sort id desc
by_name = orders | summarize qty: sum(qty), n: count() by name
by_name
"""


@pytest.fixture
def program(tmp_path: pathlib.Path) -> pathlib.Path:
    path = tmp_path / "orders.tide"
    path.write_text(PROGRAM)
    return path


def tables(output: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in output.splitlines()]


def notebook(path: pathlib.Path, *cells: str) -> pathlib.Path:
    """Writes a notebook with these cells."""
    book = nbformat.v4.new_notebook()
    book.cells = [nbformat.v4.new_code_cell(cell) for cell in cells]
    book.metadata.kernelspec = {"name": "tide", "display_name": "Tide (Tidebook)", "language": "tide"}
    nbformat.write(book, path)
    return path


def test_json(run: Runner, program: pathlib.Path) -> None:
    done = run(program, "--format", "json")
    assert done.returncode == 0, done.stderr
    first, second = tables(done.stdout)
    assert first == {
        "table": first["table"],
        "columns": [{"name": "id", "type": "int"}, {"name": "name", "type": "text"}, {"name": "qty", "type": "int"}],
        "rows": [[3, "pen", 2], [2, "ink", 5], [1, "pen", 3]],
        "errors": 0,
    }
    assert second == {
        "table": "by_name",
        "columns": [{"name": "name", "type": "text"}, {"name": "qty", "type": second["columns"][1]["type"]}, {"name": "n", "type": "int"}],
        "rows": [["ink", 5, 1], ["pen", 5, 2]],
        "errors": 0,
    }
    assert list(first) == ["table", "columns", "rows", "errors"]


def test_the_notebooks_are_in_the_one_layout(tidebook: pathlib.Path) -> None:
    done = subprocess.run([tidebook, "fmt", "--check", ROOT / "notebooks"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_json_of_every_type(run: Runner, tmp_path: pathlib.Path) -> None:
    (tmp_path / "types.tide").write_text(
        """
        t = rows [ {
          flag: true, whole: 9007199254740993, half: 0.5, round: 2.0, word: "a\\"b", nothing: null,
          day: @2026-11-22, moment: @2026-11-22T10:00:00Z, instant: @2026-11-22T10:00:00.25Z,
          several: [1, 2], inside: {a: 1, b: "x"}
        } ]
        t
        """
    )
    done = run("types.tide", "--format", "json")
    assert done.returncode == 0, done.stderr
    (table,) = tables(done.stdout)
    names = [column["name"] for column in table["columns"]]
    row = dict(zip(names, table["rows"][0], strict=True))
    assert row == {
        "flag": True, "whole": 9007199254740993, "half": 0.5, "round": 2.0, "word": 'a"b', "nothing": None,
        "day": "2026-11-22", "moment": "2026-11-22T10:00:00", "instant": "2026-11-22T10:00:00.25",
        "several": [1, 2], "inside": {"a": 1, "b": "x"},
    }


def test_rows_without_an_order_are_sorted_by_all_columns(run: Runner, tmp_path: pathlib.Path) -> None:
    (tmp_path / "t.tide").write_text('t = rows [ {a: 2, b: "x"}, {a: 1, b: "z"}, {a: 1, b: null}, {a: 1, b: "y"} ]\nt\n')
    (table,) = tables(run("t.tide", "--format", "json").stdout)
    assert table["rows"] == [[1, "y"], [1, "z"], [1, None], [2, "x"]]


def test_row_errors_are_counted_and_readable(run: Runner, tmp_path: pathlib.Path) -> None:
    (tmp_path / "t.tide").write_text(
        "t = rows [ {a: 6, b: 2}, {a: 1, b: 0} ] | derive c: a / b\nt\nt.errors | select a, b\n"
    )
    done = run("t.tide", "--format", "json")
    assert done.returncode == 0, done.stderr
    good, bad = tables(done.stdout)
    assert (good["rows"], good["errors"]) == ([[6, 2, 3]], 1)
    assert bad["rows"] == [[1, 0]]


def test_text_is_for_people(run: Runner, program: pathlib.Path) -> None:
    done = run(program)
    assert done.returncode == 0
    assert "by_name" in done.stdout and "pen" in done.stdout


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_workers_do_not_change_the_answer(run: Runner, program: pathlib.Path, workers: int) -> None:
    done = run(program, "--format", "json", "--workers", str(workers))
    assert done.returncode == 0, done.stderr
    assert done.stdout == run(program, "--format", "json").stdout


def test_parameters_from_outside(run: Runner, program: pathlib.Path) -> None:
    done = run(program, "--format", "json", "--set", "least=5")
    assert tables(done.stdout)[0]["rows"] == [[2, "ink", 5]]


@pytest.mark.parametrize("words", [["--set", "nobody=1"], ["--set", "least=many"]])
def test_parameters_that_do_not_fit(run: Runner, program: pathlib.Path, words: list[str]) -> None:
    done = run(program, *words)
    assert done.returncode in (1, 2)
    assert words[1].split("=")[0] in done.stderr


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("t = rows [ {qty: 1} ]\nt | where qyt > 0\n", ["qyt", "qty", "t.tide:2:11"]),
        ("t = rows [ {qty: 1} ]\nexpect t is empty\n", ["`expect t is empty` does not hold", "qty: 1"]),
        ("t = rows [ {qty: 1} ]\nexpect t all qty > 1\n", ["`expect t all qty > 1` does not hold", "qty: 1"]),
        ('t = read csv("not/there.csv")\nt\n', ["not/there.csv"]),
        ("t = rows [\n", ["t.tide"]),
    ],
)
def test_failures_are_told_on_standard_error(run: Runner, tmp_path: pathlib.Path, text: str, told: list[str]) -> None:
    (tmp_path / "t.tide").write_text(text)
    done = run("t.tide", "--format", "json")
    assert done.returncode == 1
    for word in told:
        assert word in done.stderr


@pytest.mark.parametrize(
    "words", [[], ["missing.tide"], ["t.tide", "--workers", "none"], ["t.tide", "--format", "xml"], ["t.tide", "--nonsense"]]
)
def test_wrong_usage(run: Runner, tmp_path: pathlib.Path, words: list[str]) -> None:
    (tmp_path / "t.tide").write_text("t = rows [ {a: 1} ]\n")
    done = run(*words)
    assert done.returncode == 2
    assert done.stderr and not done.stdout


def test_live_inputs_end_when_caught_up(run: Runner, tmp_path: pathlib.Path) -> None:
    (tmp_path / "in.csv").write_text("a\n" + "".join(f"{n}\n" for n in range(1_000)))
    (tmp_path / "t.tide").write_text('t = read csv("in.csv", watch: true)\nt | summarize n: count(), total: sum(a)\n')
    (table,) = tables(run("t.tide", "--format", "json").stdout)
    assert table["rows"] == [[1_000, 499_500]]


def test_paths_are_relative_to_the_file(run: Runner, tmp_path: pathlib.Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "in.csv").write_text("a\n1\n")
    (tmp_path / "inner" / "t.tide").write_text('t = read csv("in.csv")\nt\nt | write csv("out/copy.csv", mode: changes)\n')
    done = run("inner/t.tide", "--format", "json")
    assert done.returncode == 0, done.stderr
    assert tables(done.stdout)[0]["rows"] == [[1]]
    assert (tmp_path / "inner" / "out" / "copy.csv").read_text().count("\n") == 2


def test_sinks_hold_the_final_contents(run: Runner, tmp_path: pathlib.Path) -> None:
    (tmp_path / "t.tide").write_text(
        PROGRAM + 'by_name | key by name | write csv("by_name.csv", mode: upsert)\n'
        'by_name | key by name | write jsonl("by_name.jsonl", mode: upsert)\n'
    )
    assert run("t.tide", "--format", "json").returncode == 0
    assert sorted((tmp_path / "by_name.csv").read_text().splitlines()) == ["ink,5,1", "name,qty,n", "pen,5,2"]
    lines = [json.loads(line) for line in (tmp_path / "by_name.jsonl").read_text().splitlines()]
    assert sorted(lines, key=lambda row: row["name"]) == [{"name": "ink", "qty": 5, "n": 1}, {"name": "pen", "qty": 5, "n": 2}]


class TestNotebooks:
    def test_output_notebook(self, run: Runner, tmp_path: pathlib.Path) -> None:
        book = notebook(tmp_path / "in.ipynb", "t = rows [ {a: 1}, {a: 2} ]", "t | sort a", "%echo hello")
        before = book.read_bytes()
        done = run("in.ipynb", "--output", "out.ipynb")
        assert done.returncode == 0, done.stderr
        assert book.read_bytes() == before, "the input is left alone"
        result = nbformat.read(tmp_path / "out.ipynb", as_version=4)
        nbformat.validate(result)
        shown = result.cells[1].outputs[-1]
        assert shown.output_type == "display_data" and "<table" in shown.data["text/html"]
        assert result.cells[2].outputs[0] == {"output_type": "stream", "name": "stdout", "text": "hello\n"}
        assert [cell.execution_count for cell in result.cells] == [1, 2, 3]

    def test_output_of_a_failed_run_says_where(self, run: Runner, tmp_path: pathlib.Path) -> None:
        notebook(tmp_path / "in.ipynb", "t = rows [ {a: 1} ]", "expect t is empty", "%echo unreached")
        done = run("in.ipynb", "--output", "out.ipynb")
        assert done.returncode == 1
        result = nbformat.read(tmp_path / "out.ipynb", as_version=4)
        nbformat.validate(result)
        assert result.cells[1].outputs[-1].output_type == "error"
        assert result.cells[1].outputs[-1].ename == "ExpectationError"

    def test_a_failed_cell_is_named(self, run: Runner, tmp_path: pathlib.Path) -> None:
        notebook(tmp_path / "in.ipynb", "t = rows [ {a: 1} ]", "t | where b > 1")
        done = run("in.ipynb")
        assert done.returncode == 1
        assert "cell 2" in done.stderr and "`b`" in done.stderr


class TestFiles:
    """Files that are not what they should be: the message says what is wrong, and nothing is run."""

    @pytest.mark.parametrize(
        ("name", "data", "told"),
        [
            ("a.ipynb", b"not json", "the file is not JSON"),
            ("a.ipynb", b"{}", "not a notebook of format 4"),
            ("a.ipynb", b'{"nbformat": 3, "worksheets": []}', "jupyter nbconvert --to notebook"),
            ("a.ipynb", b'{"nbformat": 5, "cells": []}', "format 5"),
            (
                "a.ipynb",
                b'{"nbformat": 4, "cells": [], "metadata": {"kernelspec": {"name": "python3", "language": "python"}}}',
                "a notebook in `python`, not in Tide",
            ),
            ("a.tide", b"t = rows [ {a: 1} ]\n# caf\xe9\nt\n", "line 2 has the byte 0xe9"),
            ("a.tide", "t = rows [ {a: 1} ]\n".encode("utf-16"), "is UTF-16"),
            ("a.csv", b"a\n1\n", "neither a notebook (.ipynb) nor a script (.tide)"),
        ],
    )
    def test_what_cannot_be_run(self, run: Runner, tmp_path: pathlib.Path, name: str, data: bytes, told: str) -> None:
        (tmp_path / name).write_bytes(data)
        done = run(name)
        assert (done.returncode, done.stdout) == (2, "")
        assert told in done.stderr and name in done.stderr

    def test_a_folder(self, run: Runner, tmp_path: pathlib.Path) -> None:
        (tmp_path / "a.tide").mkdir()
        done = run("a.tide")
        assert done.returncode == 2 and "is a folder" in done.stderr

    def test_data_that_is_taken_for_a_script(self, run: Runner, tmp_path: pathlib.Path) -> None:
        with open(tmp_path / "a.tide", "wb") as file:
            file.truncate(20 << 20)
        done = run("a.tide")
        assert done.returncode == 2 and "20 MiB" in done.stderr

    @pytest.mark.parametrize("name", ["a.tide", "a.ipynb"])
    def test_nothing_to_run_is_no_failure(self, run: Runner, tmp_path: pathlib.Path, name: str) -> None:
        if name == "a.tide":
            (tmp_path / name).write_text("  \n")
        else:
            notebook(tmp_path / name)
        done = run(name, "--format", "json")
        assert (done.returncode, done.stdout) == (0, "")
        assert "nothing to run" in done.stderr

    def test_code_in_another_language_is_refused(self, run: Runner, tmp_path: pathlib.Path) -> None:
        notebook(tmp_path / "a.ipynb", "%echo one", "%%bash\nls")
        done = run("a.ipynb")
        assert done.returncode == 1
        assert "`bash`" in done.stderr and "cell 2" in done.stderr


class TestStandardInput:
    def piped(self, tidebook: pathlib.Path, tmp_path: pathlib.Path, text: str, *words: str) -> subprocess.CompletedProcess[str]:
        command = [str(tidebook), "run", "-", "--format", "json", *words]
        return subprocess.run(command, cwd=tmp_path, input=text, capture_output=True, text=True, timeout=60)

    def test_a_script(self, tidebook: pathlib.Path, tmp_path: pathlib.Path) -> None:
        (tmp_path / "in.csv").write_text("a\n1\n5\n")
        done = self.piped(tidebook, tmp_path, 'param n: int = 9\nt = read csv("in.csv") | where a > n\nt', "--set", "n=3")
        assert done.returncode == 0, done.stderr
        assert tables(done.stdout)[0]["rows"] == [[5]]

    def test_a_notebook(self, tidebook: pathlib.Path, tmp_path: pathlib.Path) -> None:
        path = notebook(tmp_path / "a.ipynb", "t = rows [ {a: 1} ]", "t")
        done = self.piped(tidebook, tmp_path, path.read_text(), "--output", "out.ipynb")
        assert done.returncode == 0, done.stderr
        assert tables(done.stdout)[0]["rows"] == [[1]]
        assert nbformat.read(tmp_path / "out.ipynb", as_version=4).cells[1].outputs

    def test_a_fault_has_its_place(self, tidebook: pathlib.Path, tmp_path: pathlib.Path) -> None:
        done = self.piped(tidebook, tmp_path, "t = rows [ {a: 1} ]\nt | where b > 1")
        assert done.returncode == 1
        assert "<stdin>:2:11" in done.stderr


# Each type with its default, the text on the command line, and the value that comes of it.
SETTINGS = [
    ("text", '"x"', 'a "b" = c', 'a "b" = c'),
    ("text", '"x"', "", ""),
    ("int", "1", "-5", -5),
    ("int?", "1", "null", None),
    ("float", "1.0", "2", 2.0),
    ("bool", "false", "true", True),
    ("decimal(6, 2)", "1", "3.25", "3.25"),
    ("date", "@2026-01-01", "2026-02-03", "2026-02-03"),
    ("date", "@2026-01-01", "@2026-02-03", "2026-02-03"),
    ("timestamp", "@2026-01-01", "2026-02-03T04:05:06Z", "2026-02-03T04:05:06"),
    ("duration", "1s", "5m", "5m"),
    ("[int]", "[1]", "[2, 3]", [2, 3]),
    ("[text]", '["x"]', '["a", "b"]', ["a", "b"]),
    ("[text]", "[]", "[]", []),
    ("{a: int, b: text}", '{a: 1, b: "x"}', '{a: 2, b: "y"}', {"a": 2, "b": "y"}),
    ("json", 'json("1")', '{"a": [1, "x"]}', {"a": [1, "x"]}),
]


@pytest.mark.parametrize(("ty", "default", "text", "value"), SETTINGS)
def test_a_parameter_of_every_type(run: Runner, tmp_path: pathlib.Path, ty: str, default: str, text: str, value: object) -> None:
    (tmp_path / "t.tide").write_text(f"param p: {ty} = {default}\nt = rows [ {{one: 1}} ]\nt | select p: p\n")
    done = run("t.tide", "--format", "json", "--set", f"p={text}")
    assert done.returncode == 0, done.stderr
    ((found,),) = tables(done.stdout)[0]["rows"]
    assert (json.loads(found) if ty == "json" and isinstance(found, str) else found) == value
