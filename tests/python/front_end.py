"""A front end that reads every message, and remembers what is on screen.

It speaks through Jupyter's own client. Its deadlines are generous: they end a hanging test, they measure nothing.
Nothing in here sleeps; it waits for messages.
"""

from __future__ import annotations

import pathlib
import queue
import time
import uuid
from dataclasses import dataclass, field
from typing import Any, Callable

from jupyter_client.manager import KernelManager

from html_table import Table, read_table

DEADLINE_S = 30.0

Message = dict[str, Any]


class Overdue(AssertionError):
    """A message that a test waits for did not come."""


@dataclass
class Finished:
    """What a cell gave: its reply, and its messages on iopub from busy to idle, both included."""

    reply: Message
    messages: list[Message]

    @property
    def status(self) -> str:
        """`ok`, `error` or `aborted`."""
        return self.reply["content"]["status"]

    @property
    def kinds(self) -> list[str]:
        """The types of the messages; of a status, the state."""
        return [m["content"].get("execution_state", m["msg_type"]) for m in self.messages]

    def of(self, kind: str) -> list[Message]:
        """The messages of one type."""
        return [m for m in self.messages if m["msg_type"] == kind]

    def stream(self, name: str) -> str:
        """All text on a standard stream."""
        return "".join(m["content"]["text"] for m in self.of("stream") if m["content"]["name"] == name)

    @property
    def shown(self) -> list[str]:
        """The display ids of the tables that the cell showed, in order."""
        ids = [m["content"].get("transient", {}).get("display_id") for m in self.of("display_data")]
        return [display for display in ids if display]

    def ok(self) -> Finished:
        """Itself, if the cell succeeded."""
        assert self.status == "ok", "\n".join(self.reply["content"].get("traceback", [self.status]))
        return self


@dataclass
class FrontEnd:
    """A kernel of its own, and what a notebook would know of it."""

    folder: pathlib.Path
    """Where the kernel runs: relative paths of a cell start here."""
    manager: KernelManager = field(default_factory=lambda: KernelManager(kernel_name="tide"))
    screen: dict[str, list[Message]] = field(default_factory=dict)
    """All contents that each display has had, the first and its updates."""
    finished: dict[str, list[Message]] = field(default_factory=dict)
    """Messages on iopub by the request that they belong to."""
    replies: dict[str, Message] = field(default_factory=dict)
    """Replies on shell and control by the request that they belong to."""

    def start(self) -> FrontEnd:
        """Starts the kernel and waits until it answers."""
        self.manager.start_kernel(cwd=str(self.folder))
        self.connect()
        return self

    def connect(self) -> None:
        """Opens the channels to a kernel that has just been started."""
        self.client = self.manager.client()
        # The manager counts messages of its own under its session; ids of requests must be unique among both.
        self.client.session.session = uuid.uuid4().hex
        self.client.start_channels()
        self.client.wait_for_ready(timeout=DEADLINE_S)

    def stop(self) -> None:
        """Ends the kernel, whatever it does."""
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)
        self.manager.cleanup_resources()

    @property
    def pid(self) -> int:
        """The kernel's process."""
        return self.manager.provisioner.process.pid

    # --- requests --------------------------------------------------------------------------------------

    def send(self, kind: str, content: dict[str, Any], channel: str = "shell", **metadata: Any) -> str:
        """Sends a request and gives its id."""
        message = self.client.session.msg(kind, content, metadata=metadata)
        getattr(self.client, f"{channel}_channel").send(message)
        return message["header"]["msg_id"]

    def submit(self, code: str, cell: str | None = None, **options: Any) -> str:
        """Submits a cell without waiting. `cell` is its id in the notebook."""
        content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False,
                   "stop_on_error": True} | options
        return self.send("execute_request", content, **({"cellId": cell} if cell else {}))

    def run(self, code: str, cell: str | None = None, **options: Any) -> Finished:
        """Runs a cell to its end."""
        return self.finish(self.submit(code, cell, **options))

    def finish(self, request: str, channel: str = "shell", deadline_s: float = DEADLINE_S) -> Finished:
        """Waits for the reply to a request and for its `idle`."""
        self._read_iopub_until_idle(request, deadline_s)
        return Finished(self.reply(request, channel, deadline_s), self.finished[request])

    def quiet(self, kind: str, content: dict[str, Any], channel: str = "shell") -> list[Message]:
        """Sends a message that has no reply; gives what was published from busy to idle, both included."""
        request = self.send(kind, content, channel)
        self._read_iopub_until_idle(request)
        return self.finished[request]

    def ask(self, kind: str, content: dict[str, Any], channel: str = "shell") -> Message:
        """Sends a request, waits for reply and `idle`, gives the reply's content."""
        return self.finish(self.send(kind, content, channel), channel).reply["content"]

    def reply(self, request: str, channel: str = "shell", deadline_s: float = DEADLINE_S) -> Message:
        """Waits for the reply alone."""
        end = time.monotonic() + deadline_s
        while request not in self.replies:
            try:
                message = getattr(self.client, f"{channel}_channel").get_msg(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                raise Overdue(f"no reply to {request} on {channel}") from None
            self.replies[message["parent_header"]["msg_id"]] = message
        return self.replies.pop(request)

    def await_output(self, request: str, kind: str, deadline_s: float = DEADLINE_S) -> None:
        """Waits until a request that is still being worked on has given a message of this type."""
        end = time.monotonic() + deadline_s
        while kind not in [m["msg_type"] for m in self.finished.get(request, [])]:
            self._read_iopub(end, f"{kind} of {request}")

    # --- the screen ------------------------------------------------------------------------------------

    def table(self, display: str) -> Table:
        """The table that a display shows now."""
        return read_table(self.screen[display][-1])

    def text(self, display: str) -> str:
        """What a display shows now, as text."""
        return self.screen[display][-1]["text/plain"]

    def frames(self, display: str) -> list[Table]:
        """Every table that a display has shown, in order."""
        return [read_table(content) for content in self.screen[display]]

    def wait_for(self, display: str, holds: Callable[[Table], bool], deadline_s: float = DEADLINE_S) -> Table:
        """Waits until the table of a display is as asked."""
        end = time.monotonic() + deadline_s
        while not holds(self.table(display)):
            self._read_iopub(end, lambda: f"change of the table\n{self.table(display)}")
        return self.table(display)

    def _read_iopub_until_idle(self, request: str, deadline_s: float = DEADLINE_S) -> None:
        end = time.monotonic() + deadline_s
        while not self._is_idle(request):
            self._read_iopub(end, f"idle of {request}")

    def _is_idle(self, request: str) -> bool:
        last = self.finished.get(request, [])[-1:]
        return any(m["msg_type"] == "status" and m["content"]["execution_state"] == "idle" for m in last)

    def _read_iopub(self, end: float, wanted: str | Callable[[], str]) -> None:
        try:
            message = self.client.iopub_channel.get_msg(timeout=max(0.0, end - time.monotonic()))
        except queue.Empty:
            raise Overdue(f"no {wanted if isinstance(wanted, str) else wanted()}") from None
        display = message["content"].get("transient", {}).get("display_id")
        if message["msg_type"] == "display_data" and display:
            assert display not in self.screen, f"display id {display} is given twice"
            self.screen[display] = [message["content"]["data"]]
        elif message["msg_type"] == "update_display_data":
            assert display in self.screen, f"an update for {display}, which nothing shows"
            self.screen[display].append(message["content"]["data"])
        parent = message["parent_header"].get("msg_id")
        if parent is not None:
            self.finished.setdefault(parent, [])
            if not self._is_idle(parent):
                self.finished[parent].append(message)
            else:
                assert message["msg_type"] == "update_display_data", f"{message['msg_type']} after idle"
