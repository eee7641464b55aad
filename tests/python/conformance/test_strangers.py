"""Messages that no proper front end sends. None may end the kernel, stall it, or be obeyed."""

from __future__ import annotations

import json
import uuid
from typing import Any, Iterator

import pytest
import zmq

from front_end import DEADLINE_S, FrontEnd


class TestStrangers:
    @pytest.fixture
    def stranger(self, front_end: FrontEnd) -> Iterator[zmq.Socket]:
        info = front_end.manager.get_connection_info()
        with zmq.Context() as context, context.socket(zmq.DEALER) as socket:
            socket.linger = 0
            socket.connect(f"{info['transport']}://{info['ip']}:{info['shell_port']}")
            yield socket

    def frames(self, front_end: FrontEnd, kind: str, content: dict[str, object]) -> list[bytes]:
        session = front_end.client.session
        return session.serialize(session.msg(kind, content))

    def test_a_wrong_signature_is_not_obeyed(self, front_end: FrontEnd, stranger: zmq.Socket) -> None:
        frames = self.frames(front_end, "execute_request", {"code": "stolen = rows [ {a: 1} ]"})
        frames[1] = b"0" * len(frames[1])
        stranger.send_multipart(frames)
        # The kernel answers requests in order: a signed one behind it shows that the other one has been passed over.
        stranger.send_multipart(self.frames(front_end, "kernel_info_request", {}))
        assert stranger.poll(DEADLINE_S * 1000)
        reply = stranger.recv_multipart()
        assert b"kernel_info_reply" in reply[2]
        assert front_end.run("stolen").status == "error"

    @pytest.mark.parametrize(
        "frames",
        [
            [b""],
            [b"<IDS|MSG>"],
            [b"no delimiter", b"at all"],
            [b"<IDS|MSG>", b"", b"{", b"{}", b"{}", b"{}"],
            [b"<IDS|MSG>", b"\xff", b"\xff\xfe", b"{}", b"{}", b"{}"],
        ],
    )
    def test_garbage(self, front_end: FrontEnd, stranger: zmq.Socket, frames: list[bytes]) -> None:
        stranger.send_multipart(frames)
        stranger.send_multipart(self.frames(front_end, "kernel_info_request", {}))
        assert stranger.poll(DEADLINE_S * 1000)
        assert b"kernel_info_reply" in stranger.recv_multipart()[2]

    def test_an_unknown_request(self, front_end: FrontEnd) -> None:
        front_end.send("make_coffee_request", {"milk": True})
        assert front_end.run("%echo tea").ok().stream("stdout") == "tea\n"

    def test_content_of_the_wrong_shape(self, front_end: FrontEnd) -> None:
        front_end.send("execute_request", {"code": 7})
        front_end.send("complete_request", {"cursor_pos": "here"})
        front_end.send("history_request", {"hist_access_type": "tail"})
        assert front_end.run("%echo tea", stop_on_error=False).ok().stream("stdout") == "tea\n"

    def test_a_cursor_outside_the_text(self, front_end: FrontEnd) -> None:
        content = front_end.ask("complete_request", {"code": "pens", "cursor_pos": 400})
        assert content["status"] == "ok"

    def test_a_message_without_signature_is_not_obeyed(self, front_end: FrontEnd, stranger: zmq.Socket) -> None:
        frames = self.frames(front_end, "execute_request", {"code": "stolen = rows [ {a: 1} ]"})
        frames[1] = b""
        stranger.send_multipart(frames)
        stranger.send_multipart(self.frames(front_end, "kernel_info_request", {}))
        assert stranger.poll(DEADLINE_S * 1000)
        assert b"kernel_info_reply" in stranger.recv_multipart()[2]
        assert front_end.run("stolen").status == "error"

    def test_a_recorded_message_is_not_obeyed_again(self, front_end: FrontEnd, stranger: zmq.Socket) -> None:
        frames = self.frames(front_end, "execute_request", {"code": "%echo once"})
        for _ in range(3):
            stranger.send_multipart(frames)
        stranger.send_multipart(self.frames(front_end, "history_request", {"hist_access_type": "tail", "n": 9}))
        replies = []
        while not replies or b"history_reply" not in replies[-1][2]:
            assert stranger.poll(DEADLINE_S * 1000)
            replies.append(stranger.recv_multipart())
        assert sum(b"execute_reply" in reply[2] for reply in replies) <= 1
        assert [entry[2] for entry in front_end.ask("history_request", {"hist_access_type": "tail", "n": 9})["history"]] == [
            "%echo once"]

    def test_an_id_that_comes_twice_is_answered_twice(self, front_end: FrontEnd) -> None:
        session = front_end.client.session
        message = session.msg("execute_request", {"code": "%echo one"})
        for code in ("%echo one", "%echo two"):
            message["content"]["code"] = code
            front_end.client.shell_channel.send(message)
            assert front_end.reply(message["header"]["msg_id"])["content"]["status"] == "ok"

    @pytest.mark.parametrize("channel", ["shell", "control", "stdin"])
    @pytest.mark.parametrize("kind", ["make_coffee_request", "gossip", "execute_reply", "status", ""])
    def test_unknown_types_on_every_channel(self, front_end: FrontEnd, channel: str, kind: str) -> None:
        front_end.client.stdin_channel.start()
        if channel == "stdin":
            front_end.send(kind, {"milk": True}, channel)
        else:
            assert [m["content"] for m in front_end.quiet(kind, {"milk": True}, channel)] == [
                {"execution_state": "busy"}, {"execution_state": "idle"}]
        assert front_end.run("%echo tea").ok().stream("stdout") == "tea\n"
        assert front_end.replies == {}, "nobody answers what nobody knows"

    @pytest.mark.parametrize(
        ("kind", "content"),
        [
            ("execute_request", {}),
            ("execute_request", {"code": None, "silent": "yes", "store_history": 1, "user_expressions": [], "stop_on_error": "no"}),
            ("execute_request", {"code": ["%echo x"], "user_expressions": {"a": {"b": 1}}}),
            ("complete_request", {}),
            ("complete_request", {"code": 7, "cursor_pos": -5}),
            ("complete_request", {"code": "pens", "cursor_pos": 2.5}),
            ("complete_request", {"code": "pens", "cursor_pos": 2**70}),
            ("inspect_request", {"code": None, "cursor_pos": None, "detail_level": "much"}),
            ("is_complete_request", {}),
            ("history_request", {}),
            ("history_request", {"hist_access_type": "all", "n": -1, "session": "x", "start": [], "output": 3}),
            ("history_request", {"hist_access_type": "range", "session": -(2**62), "start": -5, "stop": "end"}),
            ("comm_info_request", {"target_name": 5}),
            ("kernel_info_request", {"surplus": {"deep": [1, 2, {"x": None}]}}),
        ],
    )
    def test_absent_and_wrong_fields_are_survived_and_answered(
        self, front_end: FrontEnd, kind: str, content: dict[str, Any]
    ) -> None:
        reply = front_end.ask(kind, content)
        assert isinstance(reply, dict)
        assert front_end.run("%echo tea", stop_on_error=False).ok().stream("stdout") == "tea\n"

    @pytest.mark.parametrize("kind", ["comm_open", "comm_msg", "comm_close"])
    def test_comm_messages_without_fields(self, front_end: FrontEnd, kind: str) -> None:
        front_end.quiet(kind, {})
        front_end.quiet(kind, {"comm_id": 7, "target_name": [], "data": "x"})
        assert front_end.ask("comm_info_request", {})["status"] == "ok"

    @pytest.mark.parametrize(
        "part",
        [b"[]", b"null", b"7", b'"text"', b"[" * 10_000, b'{"a": NaN}', b"\xc3\x28", b"", b"{" + b'"a":1,' * 10],
    )
    def test_parts_that_are_not_objects(self, front_end: FrontEnd, stranger: zmq.Socket, part: bytes) -> None:
        """Rightly signed: it is the front end that is broken."""
        session = front_end.client.session
        for place in range(4):
            header = json.dumps(session.msg_header("kernel_info_request"), default=str).encode()
            parts = [header, b"{}", b"{}", b"{}"]
            parts[place] = part
            stranger.send_multipart([b"<IDS|MSG>", session.sign(parts), *parts])
        assert front_end.run("%echo tea").ok().stream("stdout") == "tea\n"

    def test_surplus_buffers_and_identities(self, front_end: FrontEnd, stranger: zmq.Socket) -> None:
        frames = self.frames(front_end, "kernel_info_request", {})
        stranger.send_multipart([b"an", b"address", *frames, b"\x00" * 1000, b"", b"more"])
        assert stranger.poll(DEADLINE_S * 1000)
        reply = stranger.recv_multipart()
        assert reply[:2] == [b"an", b"address"], "the whole way back is kept"

    def test_a_flood_of_garbage(self, front_end: FrontEnd, stranger: zmq.Socket) -> None:
        for number in range(5_000):
            stranger.send_multipart([b"<IDS|MSG>", b"0" * 64, str(number).encode(), b"{}", b"{}", b"{}"])
        assert front_end.run("%echo tea").ok().stream("stdout") == "tea\n"


def test_what_is_dropped_is_counted_in_the_log(start_kernel: Any) -> None:
    kernel = start_kernel()
    with kernel.socket(zmq.DEALER, "shell") as socket:
        for _ in range(3):
            frames = kernel.frames("kernel_info_request", {})
            frames[1] = b"0" * 64
            socket.send_multipart(frames)
        # Over the same socket, so that it comes after them.
        socket.send_multipart(kernel.frames("kernel_info_request", {}))
        assert socket.poll(DEADLINE_S * 1000)
    log = kernel.end()
    assert log.count("dropped a message: the signature is wrong") == 3 and "dropped=3" in log, log


def test_without_a_key_nothing_is_signed(start_kernel: Any) -> None:
    kernel = start_kernel(key="")
    frames = [b"<IDS|MSG>", b"", json.dumps({"msg_id": uuid.uuid4().hex, "msg_type": "kernel_info_request"}).encode(), b"{}", b"{}", b"{}"]
    with kernel.socket(zmq.DEALER, "shell") as socket:
        for _ in range(2):
            socket.send_multipart(frames)
            assert socket.poll(DEADLINE_S * 1000)
            reply = socket.recv_multipart()
            assert reply[1] == b"" and json.loads(reply[5])["status"] == "ok"
    kernel.end()
