"""What every suite needs: the program under test, a place to install it, a kernel."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import sys
from typing import Callable, Iterator

import pytest

from front_end import FrontEnd
from raw_kernel import connection, start_kernel  # noqa: F401: fixtures

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def tidebook() -> pathlib.Path:
    """The program under test."""
    program = pathlib.Path(os.environ.get("TIDEBOOK_BIN", ROOT / "target/release/tidebook"))
    assert program.exists(), f"{program} is not there: run `make build`"
    return program


@pytest.fixture(scope="session", autouse=True)
def jupyter(tidebook: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Installs the kernel into a folder of its own, and lets Jupyter see that folder and nothing of the user's."""
    home = tmp_path_factory.mktemp("jupyter")
    subprocess.run([tidebook, "install", "--prefix", home], check=True, timeout=60)
    seen = {
        "JUPYTER_PATH": str(home / "share" / "jupyter"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "PATH": os.pathsep.join([str(pathlib.Path(sys.executable).parent), os.environ["PATH"]]),
    }
    with pytest.MonkeyPatch.context() as environment:
        for name, value in seen.items():
            environment.setenv(name, value)
        yield seen


@pytest.fixture
def front_end(tmp_path: pathlib.Path) -> Iterator[FrontEnd]:
    """A kernel of its own, running in the test's folder."""
    front_end = FrontEnd(tmp_path).start()
    yield front_end
    front_end.stop()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """In the conformance suite a test that is skipped has failed: what Jupyter asks for, the kernel has."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    reports = [report for kind, found in (reporter.stats if reporter else {}).items() if "skipped" in kind for report in found]
    skipped = [report.nodeid for report in reports if "conformance/" in report.nodeid]
    if skipped:
        reporter.write_line(f"skipped, and must not be: {', '.join(skipped)}", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


Runner = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tidebook: pathlib.Path, tmp_path: pathlib.Path) -> Runner:
    """`tidebook run …` in the test's folder."""

    def run(*arguments: str | pathlib.Path, deadline_s: float = 120) -> subprocess.CompletedProcess[str]:
        command = [str(tidebook), "run", *map(str, arguments)]
        return subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, timeout=deadline_s, stdin=subprocess.DEVNULL
        )

    return run


@pytest.fixture
def quickstart(tmp_path: pathlib.Path) -> pathlib.Path:
    """A copy of the quickstart with its data, to be written to at will."""
    import make_data

    data = ROOT / "notebooks" / "data"
    if not (data / "flights").exists():
        make_data.make_data(data)
    folder = tmp_path / "notebooks"
    (folder / "data" / "flights").mkdir(parents=True)
    for name in ("airlines.csv", "airports.csv"):
        shutil.copyfile(data / name, folder / "data" / name)
    for month in sorted((data / "flights").glob("2013-*.csv")):
        shutil.copyfile(month, folder / "data" / "flights" / month.name)
    notebook = folder / "quickstart.ipynb"
    notebook.write_bytes((ROOT / "notebooks" / "quickstart.ipynb").read_bytes())
    return notebook
