"""Tidebook's Python side: finds the program that the wheel brings, for `python -m tidebook`.

The kernel itself is that program; nothing in this package is needed to run it. The lexer is loaded by Pygments and the
translator by papermill, each where it is installed.
"""

from __future__ import annotations

import os
import shutil
import sysconfig

__all__ = ["find_program"]


def find_program() -> str:
    """The path of the program `tidebook`: the one that was installed with this package, else the first on the path.

    Raises `FileNotFoundError` where there is none.
    """
    name = "tidebook" + (sysconfig.get_config_var("EXE") or "")
    # Packages of a user or of a target folder bring their programs into other folders than those of the interpreter.
    schemes = [sysconfig.get_default_scheme(), sysconfig.get_preferred_scheme("user")]
    folders = [sysconfig.get_path("scripts", scheme) for scheme in schemes]
    package = os.path.dirname(os.path.abspath(__file__))
    folders.append(os.path.join(os.path.dirname(package), "bin"))
    for folder in folders:
        path = os.path.join(folder, name)
        if os.path.isfile(path):
            return path
    found = shutil.which(name)
    if found is None:
        raise FileNotFoundError(f"the program `{name}` is in none of {', '.join(folders)}, nor on the path")
    return found
