"""A kernel without Jupyter's client around it: sockets of its own, its log, its process."""

from __future__ import annotations

import json
import pathlib
import socket
import subprocess
import time
import uuid
from typing import Any, Callable, Iterator

import pytest
import zmq
from jupyter_client.session import Session

from front_end import DEADLINE_S, Message

CHANNELS = ("shell", "iopub", "stdin", "control", "hb")


@pytest.fixture
def connection(tmp_path: pathlib.Path) -> Callable[..., pathlib.Path]:
    """Writes a connection file with free ports; what is given replaces a field."""

    def write(**fields: object) -> pathlib.Path:
        probes = [socket.socket() for _ in CHANNELS]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        info: dict[str, object] = {f"{channel}_port": probe.getsockname()[1] for channel, probe in zip(CHANNELS, probes, strict=True)}
        for probe in probes:
            probe.close()
        info |= {"ip": "127.0.0.1", "transport": "tcp", "key": uuid.uuid4().hex, "signature_scheme": "hmac-sha256"}
        path = tmp_path / f"connection-{uuid.uuid4().hex}.json"
        path.write_text(json.dumps(info | fields))
        return path

    return write


class RawKernel:
    """A kernel process and sockets to it."""

    def __init__(self, tidebook: pathlib.Path, path: pathlib.Path) -> None:
        self.info = json.loads(path.read_text())
        self.log = path.with_suffix(".log")
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([tidebook, "kernel", "-f", path], cwd=path.parent, stderr=log)
        self.session = Session(key=self.info["key"].encode())
        self.context = zmq.Context()
        self.sockets = {"shell": self.socket(zmq.DEALER, "shell"), "control": self.socket(zmq.DEALER, "control")}
        self.iopub = self.socket(zmq.SUB, "iopub")
        self.iopub.subscribe(b"")
        self.await_published("iopub_welcome")

    def socket(self, kind: int, channel: str) -> zmq.Socket:
        """A socket that is connected to a channel."""
        opened = self.context.socket(kind)
        opened.linger = 0
        opened.connect(f"tcp://127.0.0.1:{self.info[f'{channel}_port']}")
        return opened

    def frames(self, kind: str, content: dict[str, Any]) -> list[bytes]:
        """A signed message."""
        return self.session.serialize(self.session.msg(kind, content))

    def send(self, kind: str, content: dict[str, Any], channel: str = "shell") -> None:
        """Sends a request."""
        self.sockets[channel].send_multipart(self.frames(kind, content))

    def reply(self, channel: str) -> Message:
        """The next reply."""
        assert self.sockets[channel].poll(DEADLINE_S * 1000), f"no reply on {channel}"
        _, frames = self.session.feed_identities(self.sockets[channel].recv_multipart())
        return self.session.deserialize(frames)

    def ask(self, kind: str, content: dict[str, Any], channel: str = "shell") -> Message:
        """Sends a request; gives the content of the next reply."""
        self.send(kind, content, channel)
        return self.reply(channel)["content"]

    def await_published(self, kind: str) -> Message:
        """The next publication of a type."""
        end = time.monotonic() + DEADLINE_S
        while True:
            assert self.iopub.poll(max(0, (end - time.monotonic()) * 1000)), f"no {kind} was published"
            _, frames = self.session.feed_identities(self.iopub.recv_multipart())
            message = self.session.deserialize(frames)
            if message["msg_type"] == kind:
                return message

    def end(self) -> str:
        """Ends the kernel; gives what it wrote to its log."""
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(DEADLINE_S)
        self.context.destroy(linger=0)
        return self.log.read_text(encoding="utf-8")


@pytest.fixture
def start_kernel(tidebook: pathlib.Path, connection: Callable[..., pathlib.Path]) -> Iterator[Callable[..., RawKernel]]:
    """Starts kernels; what is given replaces a field of the connection file."""
    started: list[RawKernel] = []

    def start(**fields: object) -> RawKernel:
        started.append(RawKernel(tidebook, connection(**fields)))
        return started[-1]

    yield start
    for kernel in started:
        kernel.end()
