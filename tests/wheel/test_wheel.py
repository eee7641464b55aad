"""The wheel, installed into the environment that runs these tests: `make wheel` builds it, installs it and starts them.

Nothing of the repository is on the path of Python or of the shell here; what is found comes from the wheel.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import pathlib
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import venv
from typing import Any

import nbformat
import pytest
from pygments.lexers import get_lexer_by_name, get_lexer_for_filename, get_lexer_for_mimetype
from pygments.token import Keyword

ROOT = pathlib.Path(__file__).resolve().parents[2]
WHEELS = pathlib.Path(os.environ["TIDEBOOK_WHEELS"])
SCRIPTS = pathlib.Path(sysconfig.get_path("scripts"))


@pytest.fixture(scope="session")
def wheel() -> pathlib.Path:
    (found,) = WHEELS.glob("tidebook-*.whl")
    return found


@pytest.fixture
def environment(tmp_path: pathlib.Path) -> dict[str, str]:
    """Without the environment's programs on the path, and with nothing of the user's."""
    return {
        "PATH": os.defpath,
        "HOME": str(tmp_path),
        "JUPYTER_DATA_DIR": str(tmp_path / "data"),
        "JUPYTER_CONFIG_DIR": str(tmp_path / "config"),
        "JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime"),
    }


def run(*command: object, environment: dict[str, str], cwd: pathlib.Path, code: int = 0) -> str:
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=cwd, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == code, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


@pytest.fixture
def notebook(tmp_path: pathlib.Path) -> pathlib.Path:
    (tmp_path / "orders.csv").write_text("name,qty,day\npen,3,2026-01-01\nink,1,2026-02-01\npen,2,2026-03-01\n")
    declared = nbformat.v4.new_code_cell("param since: date = @2026-01-01  # the first day", metadata={"tags": ["parameters"]})
    cells = [
        declared,
        nbformat.v4.new_code_cell('orders = read csv("orders.csv")\nrecent = orders | where day >= since'),
        nbformat.v4.new_code_cell("recent | summarize qty: sum(qty) by name | sort name\nexpect recent is not empty"),
    ]
    book = nbformat.v4.new_notebook(cells=cells)
    book.metadata.kernelspec = {"name": "tide", "display_name": "Tide (Tidebook)", "language": "tide"}
    nbformat.write(book, tmp_path / "report.ipynb")
    return tmp_path / "report.ipynb"


def kernelspec(environment: dict[str, str], cwd: pathlib.Path) -> dict[str, Any]:
    """What Jupyter says of the kernel."""
    listing = run(SCRIPTS / "jupyter", "kernelspec", "list", "--json", "--log-level", "ERROR", environment=environment, cwd=cwd)
    return json.loads(listing)["kernelspecs"]["tide"]


def shown(path: pathlib.Path) -> str:
    """The text of the last table of a notebook."""
    book = nbformat.read(path, as_version=4)
    outputs = [output for cell in book.cells for output in cell.get("outputs", []) if "data" in output]
    return next(output.data["text/plain"] for output in reversed(outputs) if "name" in output.data["text/plain"])


def test_metadata() -> None:
    about = importlib.metadata.metadata("tidebook")
    cargo = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["package"]
    assert (about["Version"], about["License-Expression"]) == (cargo["version"], cargo["license"])
    assert about["Requires-Python"] == ">=3.11" and about["Summary"]
    assert about.get_payload().startswith("# Tidebook")
    needed = [line for line in importlib.metadata.requires("tidebook") or [] if "extra ==" not in line]
    assert needed == []
    assert any(path.name == "LICENSE" for path in importlib.metadata.files("tidebook") or [])


def test_the_program_and_its_version(environment: dict[str, str], tmp_path: pathlib.Path) -> None:
    version = f"tidebook {importlib.metadata.version('tidebook')}\n"
    assert run(SCRIPTS / "tidebook", "--version", environment=environment, cwd=tmp_path) == version
    assert run(sys.executable, "-m", "tidebook", "--version", environment=environment, cwd=tmp_path) == version
    run(sys.executable, "-m", "tidebook", "--nonsense", environment=environment, cwd=tmp_path, code=2)


def test_jupyter_lists_the_kernel(environment: dict[str, str], tmp_path: pathlib.Path) -> None:
    found = kernelspec(environment, tmp_path)
    folder = pathlib.Path(found["resource_dir"])
    assert folder == pathlib.Path(sys.prefix) / "share" / "jupyter" / "kernels" / "tide"
    assert {path.name for path in folder.iterdir()} == {"kernel.json", "logo-32x32.png", "logo-64x64.png", "logo-svg.svg"}
    assert found["spec"]["interrupt_mode"] == "message"


def test_nbconvert_runs_and_highlights(environment: dict[str, str], notebook: pathlib.Path) -> None:
    convert = [SCRIPTS / "jupyter-nbconvert", "--execute", "--output", "done"]
    run(*convert, "--to", "notebook", notebook, environment=environment, cwd=notebook.parent)
    language = nbformat.read(notebook.parent / "done.ipynb", as_version=4).metadata.language_info
    assert (language.name, language.pygments_lexer, language.file_extension) == ("tide", "tide", ".tide")
    # nbconvert chooses the lexer before it runs the notebook: a notebook that was saved once says which.
    told = run(*convert, "--to", "html", "done.ipynb", environment=environment, cwd=notebook.parent)
    assert "No lexer found" not in told
    page = (notebook.parent / "done.html").read_text(encoding="utf-8")
    assert '<span class="kd">param</span>' in page and '<span class="ld">@2026-01-01</span>' in page


def test_papermill_with_parameters(environment: dict[str, str], notebook: pathlib.Path) -> None:
    mill = [SCRIPTS / "papermill", "--no-progress-bar", notebook, "out.ipynb"]
    run(*mill, environment=environment, cwd=notebook.parent)
    plain = shown(notebook.parent / "out.ipynb")
    assert "ink" in plain and "5" in plain
    told = run(*mill, "-p", "since", "2026-02-15", environment=environment, cwd=notebook.parent)
    assert "unknown parameter" not in told
    later = shown(notebook.parent / "out.ipynb")
    assert "ink" not in later and "pen" in later
    run(*mill, "-p", "since", "2027-01-01", environment=environment, cwd=notebook.parent, code=1)
    told = run(*mill, "-p", "since", "never", environment=environment, cwd=notebook.parent, code=1)
    assert "since" in told and "date" in told
    assert "sinse" in run(*mill, "-p", "sinse", "1", environment=environment, cwd=notebook.parent)
    told = run(SCRIPTS / "papermill", "--help-notebook", notebook, environment=environment, cwd=notebook.parent)
    assert "since: date" in told and "the first day" in told


def test_nbmake(environment: dict[str, str], notebook: pathlib.Path) -> None:
    run(sys.executable, "-m", "pytest", "--nbmake", notebook, "-p", "no:cacheprovider", environment=environment, cwd=notebook.parent)


def test_pygments() -> None:
    for lexer in (get_lexer_by_name("tide"), get_lexer_for_filename("a.tide"), get_lexer_for_mimetype("text/x-tide")):
        assert (Keyword, "where") in list(lexer.get_tokens("t | where a > 1"))


def test_a_prefix_of_its_own(environment: dict[str, str], notebook: pathlib.Path, wheel: pathlib.Path) -> None:
    """The kernel is found wherever the wheel lies, and goes without a trace."""
    folder = notebook.parent / "elsewhere"
    venv.create(folder, symlinks=True)
    pip = [sys.executable, "-m", "pip", "--python", folder / "bin" / "python", "--disable-pip-version-check"]
    before = {path.relative_to(folder) for path in folder.rglob("*")}
    run(*pip, "install", "--no-index", wheel, environment=environment, cwd=notebook.parent)
    moved = notebook.parent / "moved"
    shutil.copytree(folder, moved, symlinks=True)
    seen = environment | {"JUPYTER_PATH": str(moved / "share" / "jupyter"), "JUPYTER_PREFER_ENV_PATH": "0"}
    assert kernelspec(seen, notebook.parent)["resource_dir"].startswith(str(moved))
    run(SCRIPTS / "jupyter", "execute", "--inplace", notebook, environment=seen, cwd=notebook.parent)
    assert "pen" in shown(notebook)
    assert "pip uninstall tidebook" in run(
        folder / "bin" / "tidebook", "uninstall", "--prefix", folder, environment=environment, cwd=notebook.parent, code=1
    )
    run(*pip, "uninstall", "--yes", "tidebook", environment=environment, cwd=notebook.parent)
    left = {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()} - before
    assert left == set()


def test_the_source_distribution_is_whole(environment: dict[str, str], tmp_path: pathlib.Path) -> None:
    """It has what a build reads: all crates, the lock file, the package; cargo resolves it without the network."""
    (archive,) = WHEELS.glob("tidebook-*.tar.gz")
    with tarfile.open(archive) as tar:
        tar.extractall(tmp_path, filter="data")
    (folder,) = tmp_path.glob("tidebook-*")
    for wanted in ("LICENSE", "README.md", "pyproject.toml", "kernel/src/main.rs", "kernel/python/tidebook/lexer.py"):
        assert (folder / wanted).is_file(), wanted
    assert list(folder.glob("kernel/python/tidebook.data/data/share/jupyter/kernels/tide/*.png"))
    assert not (folder / "tests").exists()
    cargo = shutil.which("cargo")
    assert cargo is not None
    metadata = run(cargo, "metadata", "--offline", "--format-version", "1", "--quiet", environment=dict(os.environ), cwd=folder)
    packages = {package["name"] for package in json.loads(metadata.splitlines()[0])["packages"]}
    assert {"tidebook-kernel", "tidebook-session", "tidebook-dsl", "timely"} <= packages
