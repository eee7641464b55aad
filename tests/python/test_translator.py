"""Parameters of papermill as Tide: the text that is written, and what the kernel makes of it."""

from __future__ import annotations

import datetime
import decimal
import json
import pathlib

import nbformat
import papermill
import pytest

from conftest import Runner
from tidebook.papermill import TideTranslator

UTC = datetime.timezone.utc


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("x", '"x"'),
        ('a "b"\\n\nc\té', '"a \\"b\\"\\\\n\\nc\\té"'),
        (5, "5"),
        (-5, "-5"),
        (1.5, "1.5"),
        (1e300, "1e300"),
        (1e-7, "1e-07"),
        (float("nan"), 'float("nan")'),
        (float("-inf"), 'float("-inf")'),
        (True, "true"),
        (False, "false"),
        (None, "null"),
        ([1, 2, None], "[1, 2, null]"),
        ([], "[]"),
        ({"a": 1, "b c": [{"in": "x"}]}, '{a: 1, `b c`: [{`in`: "x"}]}'),
        ([1, "x"], '"[1, \\"x\\"]"'),
        ({}, '"{}"'),
        (datetime.date(2026, 2, 1), "@2026-02-01"),
        (datetime.datetime(2026, 2, 1, 10, 30), "@2026-02-01T10:30:00Z"),
        (datetime.datetime(2026, 2, 1, 10, tzinfo=datetime.timezone(datetime.timedelta(hours=2))), "@2026-02-01T08:00:00Z"),
        (datetime.timedelta(minutes=5), "300000ms"),
        (decimal.Decimal("1.10"), '"1.10"'),
    ],
)
def test_values(value: object, written: str) -> None:
    assert TideTranslator.translate(value) == written


def test_the_cell_that_is_written() -> None:
    assert TideTranslator.codify({"a": 1, "b": "x"}, "Parameters") == '# Parameters\n%param a = 1\n%param b = "x"\n'


def test_parameters_that_a_cell_declares() -> None:
    cell = {
        "source": "# what for\nparam since: date = @2026-01-01   # the first day\nparam name: text = \"a # b\" # who\n"
        "param n: int\nparam price: decimal(6, 2) = 1\nt = rows [ {a: 1} ]\n  param: 1\n"
    }
    found = [(p.name, p.inferred_type_name, p.default, p.help) for p in TideTranslator.inspect(cell)]
    assert found == [
        ("since", "date", "@2026-01-01", "the first day"),
        ("name", "text", '"a # b"', "who"),
        ("n", "int", "", ""),
        ("price", "decimal(6, 2)", "1", ""),
    ]


# Each parameter with its type, its default, what papermill is given, and the row that must come of it.
PARAMETERS = [
    ("word", "text", '"none"', 'say "hi"\n', 'say "hi"\n'),
    ("digits", "text", '"none"', 7, "7"),
    ("whole", "int", "0", 5, 5),
    ("half", "float", "0.0", 2, 2.0),
    ("flag", "bool", "false", True, True),
    ("nothing", "int?", "1", None, None),
    ("since", "date", "@2026-01-01", "2026-02-03", "2026-02-03"),
    ("moment", "timestamp", "@2026-01-01", "2026-02-03T04:05:06Z", "2026-02-03T04:05:06"),
    ("wait", "duration", "1s", "5m", "5m"),
    ("several", "[int]", "[0]", [1, 2], [1, 2]),
    ("inside", "{a: int, b: text}", '{a: 0, b: ""}', {"a": 1, "b": "x"}, {"a": 1, "b": "x"}),
    ("document", "json", 'json("1")', {"k": [1, "x", None]}, {"k": [1, "x", None]}),
]
DECLARED = "\n".join(f"param {name}: {ty} = {default}" for name, ty, default, _, _ in PARAMETERS)
ROW = ", ".join(f"{name}: {name}" for name, *_ in PARAMETERS)
SHOWN = f"once = rows [ {{one: 1}} ]\nonce | select {ROW} | write jsonl(\"out.jsonl\", mode: changes)"


@pytest.mark.parametrize("tagged", [True, False])
def test_papermill_sets_parameters_of_every_type(tmp_path: pathlib.Path, tagged: bool) -> None:
    """Behind the cell with the declarations, where that is tagged; before it, where it is not."""
    cells = [nbformat.v4.new_code_cell(DECLARED), nbformat.v4.new_code_cell(SHOWN)]
    cells[0].metadata["tags"] = ["parameters"] if tagged else []
    book = nbformat.v4.new_notebook(cells=cells)
    book.metadata.kernelspec = {"name": "tide", "display_name": "Tide (Tidebook)", "language": "tide"}
    nbformat.write(book, tmp_path / "in.ipynb")
    given = {name: value for name, _, _, value, _ in PARAMETERS}
    papermill.execute_notebook(tmp_path / "in.ipynb", tmp_path / "out.ipynb", given, cwd=tmp_path, progress_bar=False)
    done = nbformat.read(tmp_path / "out.ipynb", as_version=4)
    place = 1 if tagged else 0
    assert done.cells[place].metadata.tags == ["injected-parameters"]
    (line,) = (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()
    row = json.loads(line)
    if isinstance(row["document"], str):
        row["document"] = json.loads(row["document"])
    assert {name: row[name] for name, *_ in PARAMETERS} == {name: value for name, *_, value in PARAMETERS}


@pytest.mark.parametrize("tagged", [True, False])
def test_a_value_that_nothing_declares_is_told(tmp_path: pathlib.Path, run: Runner, tagged: bool) -> None:
    cells = [nbformat.v4.new_code_cell("param since: date = @2026-01-01"), nbformat.v4.new_code_cell("%echo done")]
    cells[0].metadata["tags"] = ["parameters"] if tagged else []
    book = nbformat.v4.new_notebook(cells=cells)
    book.metadata.kernelspec = {"name": "tide", "display_name": "Tide (Tidebook)", "language": "tide"}
    nbformat.write(book, tmp_path / "in.ipynb")
    papermill.execute_notebook(tmp_path / "in.ipynb", tmp_path / "out.ipynb", {"sinse": "2026-02-01"}, progress_bar=False)
    done = nbformat.read(tmp_path / "out.ipynb", as_version=4)
    injected = next(cell for cell in done.cells if cell.metadata.get("tags") == ["injected-parameters"])
    assert "no `param` declares `sinse`" in injected.outputs[0].text
    # The same notebook as a run of the whole: there the end is known, and the slip is an error.
    again = run("out.ipynb")
    assert again.returncode == 1
    assert "there is no parameter `sinse`" in again.stderr and "`since`" in again.stderr


def test_a_value_that_does_not_fit_fails(tmp_path: pathlib.Path) -> None:
    cells = [nbformat.v4.new_code_cell("param n: int = 1", metadata={"tags": ["parameters"]})]
    book = nbformat.v4.new_notebook(cells=cells)
    book.metadata.kernelspec = {"name": "tide", "display_name": "Tide (Tidebook)", "language": "tide"}
    nbformat.write(book, tmp_path / "in.ipynb")
    with pytest.raises(papermill.PapermillExecutionError, match="`n` is int, but the value given from outside is"):
        papermill.execute_notebook(tmp_path / "in.ipynb", tmp_path / "out.ipynb", {"n": "many"}, progress_bar=False)
