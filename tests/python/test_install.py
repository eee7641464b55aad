"""`tidebook install`: what Jupyter finds afterwards."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys

import pytest


@pytest.mark.parametrize("way", ["prefix", "sys-prefix", "user"])
def test_jupyter_finds_the_kernel(tidebook: pathlib.Path, tmp_path: pathlib.Path, way: str) -> None:
    environment = os.environ | {"VIRTUAL_ENV": str(tmp_path / "env"), "JUPYTER_DATA_DIR": str(tmp_path / "user")}
    words = ["--prefix", str(tmp_path / "env")] if way == "prefix" else [f"--{way}"]
    subprocess.run([tidebook, "install", *words], check=True, timeout=60, env=environment)
    data = tmp_path / "user" if way == "user" else tmp_path / "env" / "share" / "jupyter"
    environment |= {"JUPYTER_PATH": str(data), "JUPYTER_DATA_DIR": str(tmp_path / "nothing")}
    listing = [sys.executable, "-m", "jupyter", "kernelspec", "list", "--json"]
    done = subprocess.run(listing, check=True, capture_output=True, text=True, timeout=60, env=environment)
    found = json.loads(done.stdout)["kernelspecs"]["tide"]
    assert pathlib.Path(found["resource_dir"]) == data / "kernels" / "tide"
    spec = found["spec"]
    assert (spec["display_name"], spec["language"], spec["interrupt_mode"]) == ("Tide (Tidebook)", "tide", "message")
    assert os.access(spec["argv"][0], os.X_OK)
    assert {"logo-64x64.png", "logo-svg.svg"} <= {path.name for path in (data / "kernels" / "tide").iterdir()}


def test_two_places_at_once_are_refused(tidebook: pathlib.Path, tmp_path: pathlib.Path) -> None:
    done = subprocess.run([tidebook, "install", "--user", "--prefix", tmp_path], capture_output=True, timeout=60)
    assert done.returncode == 2
    assert list(tmp_path.iterdir()) == []


def uninstall(tidebook: pathlib.Path, *words: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    command = [str(tidebook), "uninstall", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment)


@pytest.mark.parametrize("way", ["prefix", "sys-prefix", "user"])
def test_uninstall_takes_back_what_install_wrote(tidebook: pathlib.Path, tmp_path: pathlib.Path, way: str) -> None:
    environment = os.environ | {"VIRTUAL_ENV": str(tmp_path / "env"), "JUPYTER_DATA_DIR": str(tmp_path / "user")}
    words = ["--prefix", str(tmp_path / "env")] if way == "prefix" else [f"--{way}"]
    kernels = (tmp_path / "user" if way == "user" else tmp_path / "env" / "share" / "jupyter") / "kernels"
    other = kernels / "other"
    other.mkdir(parents=True)
    for _ in range(2):
        subprocess.run([tidebook, "install", *words], check=True, timeout=60, env=environment)
    done = uninstall(tidebook, *words, environment=environment)
    assert done.returncode == 0, done.stderr
    assert str(kernels / "tide") in done.stderr and "kernel.json" in done.stderr
    assert list(kernels.iterdir()) == [other]
    again = uninstall(tidebook, *words, environment=environment)
    assert again.returncode == 0
    assert "nothing to remove" in again.stderr


def test_uninstall_says_where_the_kernel_is_instead(tidebook: pathlib.Path, tmp_path: pathlib.Path) -> None:
    environment = os.environ | {"JUPYTER_DATA_DIR": str(tmp_path / "user")}
    subprocess.run([tidebook, "install", "--user"], check=True, timeout=60, env=environment)
    done = uninstall(tidebook, "--prefix", str(tmp_path / "env"), environment=environment)
    assert done.returncode == 0
    assert str(tmp_path / "user" / "kernels" / "tide") in done.stderr


def test_a_place_that_cannot_be_written_is_named(tidebook: pathlib.Path, tmp_path: pathlib.Path) -> None:
    (tmp_path / "file").write_text("no folder")
    done = subprocess.run([tidebook, "install", "--prefix", tmp_path / "file"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert str(tmp_path / "file") in done.stderr and "cannot" in done.stderr
