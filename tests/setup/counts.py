"""Adds up what the test runners counted, from their closing lines in a log:  counts.py LOG STATUS

Prints `N passed, N failed`. STATUS is 0 if every step of the run succeeded; a step that failed before it could count is one failure.
"""

import re
import sys

CARGO = re.compile(r"^test result: \w+\. (\d+) passed; (\d+) failed;")
BROWSER = re.compile(r"^browser: (\d+) passed, (\d+) failed")
PYTEST = re.compile(r"^=+ (.* in [\d.]+s.*) =+$")


def counts(line: str) -> tuple[int, int]:
    """Passed and failed, if the line closes a suite."""
    if found := CARGO.match(line) or BROWSER.match(line):
        return int(found[1]), int(found[2])
    if found := PYTEST.match(line):
        words = {word: int(number) for number, word in re.findall(r"(\d+) (passed|failed|error)", found[1])}
        return words.get("passed", 0), words.get("failed", 0) + words.get("error", 0)
    return 0, 0


def main(log: str, status: int) -> None:
    with open(log, encoding="utf-8", errors="replace") as lines:
        suites = [counts(line.rstrip()) for line in lines]
    passed = sum(suite[0] for suite in suites)
    failed = sum(suite[1] for suite in suites)
    if status != 0 and failed == 0:
        failed = 1
    print(f"{passed} passed, {failed} failed")
    sys.exit(0 if failed == 0 and passed > 0 else 1)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
