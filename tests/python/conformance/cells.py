"""Cells that several suites run."""

from __future__ import annotations

import time

from front_end import DEADLINE_S, FrontEnd, Message

TABLE = 'pens = rows [ {id: 1, name: "pen"}, {id: 2, name: "ink"} ]\n'
WRONG = TABLE + "pens | where nmae == 'pen'\n"
FOREVER = {
    "stream": "never = read demo.ticks(rate: 10) | where n < 0\nexpect never within 3600s is not empty",
    "rows": "never = rows [ {n: 1} ] | where n < 0\nexpect never within 3600s is not empty",
}
"""Cells that would wait for an hour."""


def wait_for_an_hour(front_end: FrontEnd, kind: str = "stream") -> str:
    """Submits such a cell, and returns when it waits: the expectation is on screen by then."""
    request = front_end.submit(FOREVER[kind])
    front_end.await_output(request, "display_data")
    while len([m for m in front_end.finished[request] if m["msg_type"] == "display_data"]) < 2:
        front_end._read_iopub(time.monotonic() + DEADLINE_S, "the expectation")
    return request


def own(messages: list[Message], request: str) -> bool:
    """True if all of them name the request as their parent."""
    return all(m["parent_header"]["msg_id"] == request for m in messages)
