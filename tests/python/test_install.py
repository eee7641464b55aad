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
