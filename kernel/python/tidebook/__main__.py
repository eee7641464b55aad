"""`python -m tidebook …` is `tidebook …`, in the environment of that Python."""

from __future__ import annotations

import os
import sys

from tidebook import find_program


def main() -> None:
    try:
        program = find_program()
    except FileNotFoundError as error:
        sys.exit(f"tidebook: {error}")
    os.execv(program, [program, *sys.argv[1:]])


if __name__ == "__main__":
    main()
