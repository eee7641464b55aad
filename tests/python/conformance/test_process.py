"""The kernel as a process: how it starts, what ends it, and what it says when it cannot start."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
from typing import Any

import pytest
import zmq

from front_end import DEADLINE_S


def refused(tidebook: pathlib.Path, *arguments: str) -> tuple[int, str]:
    """The exit code and the message of a kernel that must not start."""
    done = subprocess.run([tidebook, "kernel", *arguments], capture_output=True, text=True, timeout=DEADLINE_S)
    assert "panicked" not in done.stderr
    return done.returncode, done.stderr


class TestItCannotStart:
    def test_without_the_connection_file(self, tidebook: pathlib.Path, tmp_path: pathlib.Path) -> None:
        code, said = refused(tidebook, "-f", str(tmp_path / "nowhere.json"))
        assert code == 2 and "cannot read the connection file" in said and "nowhere.json" in said
        code, said = refused(tidebook)
        assert code == 2 and "--connection-file" in said

    @pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"transport": "tcp", "ip": "127.0.0.1"}', "\xff"])
    def test_with_a_file_that_is_none(self, tidebook: pathlib.Path, tmp_path: pathlib.Path, text: str) -> None:
        path = tmp_path / "connection.json"
        path.write_text(text, encoding="latin-1")
        code, said = refused(tidebook, "-f", str(path))
        assert code == 2 and "connection" in said and said.count("\n") == 1

    def test_with_an_unknown_signature_scheme(self, tidebook: pathlib.Path, tmp_path: pathlib.Path, connection: Any) -> None:
        path = connection(signature_scheme="hmac-md5")
        code, said = refused(tidebook, "-f", str(path))
        assert code == 2 and "hmac-md5" in said

    @pytest.mark.parametrize("channel", ["shell", "iopub", "stdin", "control", "hb"])
    def test_on_a_port_that_is_taken(self, tidebook: pathlib.Path, connection: Any, channel: str) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            path = connection(**{f"{channel}_port": taken.getsockname()[1]})
            code, said = refused(tidebook, "-f", str(path))
        name = {"hb": "heartbeat"}.get(channel, channel)
        assert code == 1 and f"cannot bind the {name} socket" in said and said.count("\n") == 1


class TestItEnds:
    def test_by_sigterm(self, start_kernel: Any) -> None:
        kernel = start_kernel()
        kernel.ask("kernel_info_request", {})
        kernel.process.send_signal(signal.SIGTERM)
        assert kernel.process.wait(DEADLINE_S) == 0

    def test_by_sigterm_while_a_cell_runs(self, start_kernel: Any) -> None:
        kernel = start_kernel()
        kernel.send("execute_request", {"code": "t = rows [ {n: 1} ]\nexpect t within 3600s is empty"})
        kernel.await_published("execute_input")
        kernel.process.send_signal(signal.SIGTERM)
        assert kernel.process.wait(DEADLINE_S) == 0

    def test_not_by_sigint(self, start_kernel: Any) -> None:
        kernel = start_kernel()
        kernel.send("execute_request", {"code": "t = rows [ {n: 1} ]\nexpect t within 3600s is empty"})
        kernel.await_published("execute_input")
        for _ in range(3):
            kernel.process.send_signal(signal.SIGINT)
        # The cell runs on: it is the message that interrupts.
        assert kernel.ask("kernel_info_request", {})["status"] == "ok"
        kernel.ask("interrupt_request", {}, channel="control")
        assert kernel.reply("shell")["content"]["ename"] == "Interrupted"

    def test_with_its_parent(self, tidebook: pathlib.Path, connection: Any) -> None:
        """A server that is killed leaves no kernels behind."""
        path = connection()
        starter = (
            "import os, subprocess, sys, time\n"
            "os.environ['JPY_PARENT_PID'] = str(os.getpid())\n"
            "child = subprocess.Popen(sys.argv[1:])\n"
            "print(child.pid, flush=True)\n"
            "sys.stdin.read()\n"
        )
        command = [sys.executable, "-c", starter, str(tidebook), "kernel", "-f", str(path)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as parent:
            kernel = int(parent.stdout.readline())
            info = json.loads(path.read_text())
            with zmq.Context() as context, context.socket(zmq.REQ) as heart:
                heart.linger = 0
                heart.connect(f"tcp://127.0.0.1:{info['hb_port']}")
                heart.send(b"ping")
                assert heart.poll(DEADLINE_S * 1000), "it lives"
                ending = os.pidfd_open(kernel)
                parent.kill()
                import select

                assert select.select([ending], [], [], DEADLINE_S)[0], "it ends with its parent"
                os.close(ending)


class TestSockets:
    def test_the_heart_beats_always(self, start_kernel: Any) -> None:
        kernel = start_kernel()
        kernel.send("execute_request", {"code": "t = rows [ {n: 1} ]\nexpect t within 3600s is empty"})
        kernel.await_published("execute_input")
        with kernel.socket(zmq.REQ, "hb") as heart:
            for beat in (b"", b"ping", b"x" * 1_000_000):
                heart.send(beat)
                assert heart.poll(DEADLINE_S * 1000)
                assert heart.recv() == beat

    def test_curve_is_not_offered(self, start_kernel: Any) -> None:
        """A client that wants to encrypt is turned away; it is not served in the clear."""
        kernel = start_kernel()
        assert "curve" not in json.dumps(kernel.ask("kernel_info_request", {})).lower()
        if not zmq.has("curve"):
            return
        public, secret = zmq.curve_keypair()
        for channel, kind in [("shell", zmq.DEALER), ("iopub", zmq.SUB)]:
            with kernel.context.socket(kind) as socket:
                socket.linger = 0
                socket.curve_publickey, socket.curve_secretkey, socket.curve_serverkey = public, secret, public
                events = socket.get_monitor_socket()
                if kind == zmq.SUB:
                    socket.subscribe(b"")
                socket.connect(f"tcp://127.0.0.1:{kernel.info[f'{channel}_port']}")
                if kind == zmq.DEALER:
                    # The kernel may have hung up already; then there is nobody left to send to.
                    with contextlib.suppress(zmq.Again):
                        socket.send_multipart(kernel.frames("kernel_info_request", {}), zmq.NOBLOCK)
                assert events.poll(DEADLINE_S * 1000)
                assert not socket.poll(500)
                socket.disable_monitor()
        assert kernel.ask("kernel_info_request", {})["status"] == "ok"

    def test_other_protocols_on_every_port(self, start_kernel: Any) -> None:
        kernel = start_kernel()
        for channel in ("shell", "iopub", "stdin", "control", "hb"):
            with socket.create_connection(("127.0.0.1", kernel.info[f"{channel}_port"]), timeout=DEADLINE_S) as browser:
                browser.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" * 10)
        assert kernel.ask("kernel_info_request", {})["status"] == "ok"
