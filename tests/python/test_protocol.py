"""What a kernel owes to its front ends, message by message."""

from __future__ import annotations

import json
import pathlib
import time

import pytest
import zmq

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
    return all(m["parent_header"]["msg_id"] == request for m in messages)


class TestExecute:
    def test_order_and_parents(self, front_end: FrontEnd) -> None:
        request = front_end.submit(TABLE + "pens | sort id\n")
        done = front_end.finish(request).ok()
        assert done.kinds[:2] == ["busy", "execute_input"]
        assert done.kinds[-1] == "idle"
        assert "display_data" in done.kinds[2:-1]
        assert own(done.messages, request)
        assert done.reply["parent_header"]["msg_id"] == request

    def test_reply_of_success(self, front_end: FrontEnd) -> None:
        content = front_end.run(TABLE).reply["content"]
        assert content["status"] == "ok"
        assert content["user_expressions"] == {}
        assert content["payload"] == []

    def test_counter(self, front_end: FrontEnd) -> None:
        def counter(**options: bool) -> int:
            return front_end.run("%eval 1 + 1", **options).ok().reply["content"]["execution_count"]

        first = counter()
        assert counter() == first + 1
        counter(silent=True)
        counter(store_history=False)
        assert counter() == first + 2

    def test_silent_shows_nothing(self, front_end: FrontEnd) -> None:
        done = front_end.run(TABLE + "pens\n%echo hello", silent=True).ok()
        assert done.kinds == ["busy", "idle"]

    def test_the_same_error_in_reply_and_on_iopub(self, front_end: FrontEnd) -> None:
        done = front_end.run(WRONG)
        assert done.status == "error"
        (shown,) = done.of("error")
        for part in ("ename", "evalue", "traceback"):
            assert done.reply["content"][part] == shown["content"][part]
        assert "nmae" in shown["content"]["evalue"]
        assert "name" in "\n".join(shown["content"]["traceback"]), "the near name is offered"
        assert isinstance(done.reply["content"]["execution_count"], int)

    def test_one_bad_statement_does_not_hide_the_others(self, front_end: FrontEnd) -> None:
        done = front_end.run(TABLE + "pens | where nmae == 'x'\npens | where idd == 1\n")
        text = "\n".join(done.reply["content"]["traceback"])
        assert "nmae" in text and "idd" in text

    def test_queued_cells_are_aborted_after_an_error(self, front_end: FrontEnd) -> None:
        wrong, queued = front_end.submit(WRONG), front_end.submit("%echo never")
        assert front_end.finish(wrong).status == "error"
        aborted = front_end.finish(queued)
        assert aborted.status == "aborted"
        assert aborted.kinds == ["busy", "idle"]
        assert front_end.run("%echo again").ok().stream("stdout") == "again\n"

    def test_stop_on_error_can_be_declined(self, front_end: FrontEnd) -> None:
        wrong, queued = front_end.submit(WRONG, stop_on_error=False), front_end.submit("%echo still")
        assert front_end.finish(wrong).status == "error"
        assert front_end.finish(queued).ok().stream("stdout") == "still\n"

    def test_an_aborted_queue_still_answers_other_requests(self, front_end: FrontEnd) -> None:
        wrong, info = front_end.submit(WRONG), front_end.send("kernel_info_request", {})
        assert front_end.finish(wrong).status == "error"
        assert front_end.finish(info).reply["content"]["status"] == "ok"

    def test_fields_may_be_missing(self, front_end: FrontEnd) -> None:
        done = front_end.finish(front_end.send("execute_request", {"code": "%echo lenient"}))
        assert done.ok().stream("stdout") == "lenient\n"

    def test_streams(self, front_end: FrontEnd) -> None:
        done = front_end.run("%echo out\n%echo -e err").ok()
        assert (done.stream("stdout"), done.stream("stderr")) == ("out\n", "err\n")

    def test_a_table_is_shown_as_html_and_as_text(self, front_end: FrontEnd) -> None:
        done = front_end.run('t = rows [ {a: 1, b: "<b>&"}, {a: 2, b: null} ]\nt | sort a').ok()
        (display,) = done.shown
        table = front_end.table(display)
        assert table.columns == ["a", "b"]
        assert table.rows == [["1", "<b>&"], ["2", None]]
        bundle = front_end.screen[display][-1]
        assert "<b>" not in bundle["text/html"], "values are escaped"
        assert "<b>&" in bundle["text/plain"]

    def test_a_definition_shows_its_schema(self, front_end: FrontEnd) -> None:
        done = front_end.run(TABLE).ok()
        text = json.dumps([m["content"] for m in done.of("display_data")])
        assert "pens" in text and "name: text" in text


class TestQuestions:
    def test_completion_counts_code_points(self, front_end: FrontEnd) -> None:
        front_end.run(TABLE).ok()
        code = 'x = rows [ {a: "\N{GRINNING FACE}\N{GRINNING FACE}"} ]\npens | whe'
        content = front_end.ask("complete_request", {"code": code, "cursor_pos": len(code)})
        assert content["status"] == "ok"
        assert "where" in content["matches"]
        assert (content["cursor_start"], content["cursor_end"]) == (len(code) - 3, len(code))

    @pytest.mark.parametrize(
        ("code", "offered"),
        [
            ("pe", "pens"),
            ("pens | where na", "name"),
            ("pens | summ", "summarize"),
            ("pens | summarize n: cou", "count"),
            ("t = read cs", "csv"),
            ('t = read csv("a.csv", wat', "watch"),
        ],
    )
    def test_completion_knows_the_place(self, front_end: FrontEnd, code: str, offered: str) -> None:
        front_end.run(TABLE).ok()
        matches = front_end.ask("complete_request", {"code": code, "cursor_pos": len(code)})["matches"]
        assert any(match.startswith(offered) for match in matches), matches

    def test_completion_in_the_middle(self, front_end: FrontEnd) -> None:
        front_end.run(TABLE).ok()
        code = "pens | whe name == 'x'"
        content = front_end.ask("complete_request", {"code": code, "cursor_pos": 10})
        assert "where" in content["matches"]
        assert (content["cursor_start"], content["cursor_end"]) == (7, 10)

    @pytest.mark.parametrize("code", ["pens", "pens | summarize", "pens | summarize total: sum", "read csv"])
    def test_inspection(self, front_end: FrontEnd, code: str) -> None:
        front_end.run(TABLE).ok()
        content = front_end.ask("inspect_request", {"code": code, "cursor_pos": len(code), "detail_level": 0})
        assert content["status"] == "ok" and content["found"]
        assert content["data"]["text/plain"].strip()

    def test_inspection_of_nothing(self, front_end: FrontEnd) -> None:
        content = front_end.ask("inspect_request", {"code": "zzz", "cursor_pos": 3, "detail_level": 0})
        assert (content["status"], content["found"], content["data"]) == ("ok", False, {})

    @pytest.mark.parametrize(
        ("code", "status"),
        [
            (TABLE, "complete"),
            ("%tables", "complete"),
            ("", "complete"),
            ("t = rows [ {a: 1},", "incomplete"),
            ("t = pens |", "incomplete"),
            ("t = rows ]", "invalid"),
        ],
    )
    def test_is_complete(self, front_end: FrontEnd, code: str, status: str) -> None:
        assert front_end.ask("is_complete_request", {"code": code})["status"] == status

    def test_history(self, front_end: FrontEnd) -> None:
        codes = ["%eval 1 + 1", "%eval 2 + 2", "%eval 1 + 1"]
        for code in codes:
            front_end.run(code).ok()
        front_end.run("%eval 3", store_history=False)

        def history(**content: object) -> list[list[object]]:
            return front_end.ask("history_request", {"output": False, "raw": True} | content)["history"]

        tail = history(hist_access_type="tail", n=3)
        assert [entry[2] for entry in tail] == codes
        session, line = tail[0][:2]
        span = history(hist_access_type="range", session=session, start=line, stop=line + 2)
        assert [entry[2] for entry in span] == codes[:2]
        assert len(history(hist_access_type="search", pattern="*1*")) == 2
        assert len(history(hist_access_type="search", pattern="*1*", unique=True)) == 1

    def test_comms(self, front_end: FrontEnd) -> None:
        assert front_end.ask("comm_info_request", {}) == {"status": "ok", "comms": {}}
        opened = front_end.send("comm_open", {"comm_id": "c1", "target_name": "nobody", "data": {}})
        end = time.monotonic() + DEADLINE_S
        while not front_end._is_idle(opened):
            front_end._read_iopub(end, "idle of comm_open")
        kinds = [m["msg_type"] for m in front_end.finished[opened]]
        assert kinds == ["status", "comm_close", "status"]
        assert front_end.finished[opened][1]["content"]["comm_id"] == "c1"

    def test_kernel_info(self, front_end: FrontEnd) -> None:
        shell = front_end.ask("kernel_info_request", {})
        assert shell == front_end.ask("kernel_info_request", {}, channel="control")
        assert shell["status"] == "ok"
        assert shell["protocol_version"].startswith("5.")
        assert isinstance(shell["supported_features"], list)
        language = shell["language_info"]
        assert (language["name"], language["file_extension"], language["mimetype"]) == ("tide", ".tide", "text/x-tide")
        assert language["version"] and language["pygments_lexer"] and language["codemirror_mode"]


class TestWhileACellRuns:
    def test_both_channels_answer(self, front_end: FrontEnd) -> None:
        running = wait_for_an_hour(front_end)
        assert front_end.ask("kernel_info_request", {}, channel="control")["status"] == "ok"
        assert front_end.ask("complete_request", {"code": "nev", "cursor_pos": 3})["status"] == "ok"
        assert not front_end._is_idle(running), "the cell is still running"
        front_end.ask("interrupt_request", {}, channel="control")
        front_end.finish(running)

    @pytest.mark.parametrize("kind", FOREVER)
    def test_interrupt(self, front_end: FrontEnd, kind: str) -> None:
        running = wait_for_an_hour(front_end, kind)
        front_end.manager.interrupt_kernel()
        done = front_end.finish(running)
        assert done.status == "error"
        assert done.reply["content"]["ename"] == "Interrupted"
        assert front_end.run("%echo on").ok().stream("stdout") == "on\n"

    def test_interrupt_of_an_idle_kernel_does_not_harm_the_next_cell(self, front_end: FrontEnd) -> None:
        assert front_end.ask("interrupt_request", {}, channel="control") == {"status": "ok"}
        front_end.run(TABLE + "expect pens is not empty").ok()


class TestLife:
    @pytest.mark.parametrize("restart", [False, True])
    def test_shutdown(self, front_end: FrontEnd, restart: bool) -> None:
        process = front_end.manager.provisioner.process
        request = front_end.send("shutdown_request", {"restart": restart}, channel="control")
        assert front_end.reply(request, "control")["content"] == {"status": "ok", "restart": restart}
        assert process.wait(DEADLINE_S) == 0

    def test_shutdown_while_a_cell_runs(self, front_end: FrontEnd) -> None:
        wait_for_an_hour(front_end)
        process = front_end.manager.provisioner.process
        front_end.send("shutdown_request", {"restart": False}, channel="control")
        assert process.wait(DEADLINE_S) == 0

    def test_restart_forgets(self, front_end: FrontEnd) -> None:
        front_end.run(TABLE).ok()
        front_end.client.stop_channels()
        front_end.manager.restart_kernel()
        front_end.connect()
        assert front_end.run("pens").status == "error"
        assert front_end.run(TABLE).ok().reply["content"]["status"] == "ok"


class TestStrangers:
    """Messages that do not come from a front end as it should be. None may end the kernel or be obeyed."""

    @pytest.fixture
    def stranger(self, front_end: FrontEnd):
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


def test_large_cells_and_outputs_pass(front_end: FrontEnd, tmp_path: pathlib.Path) -> None:
    """A cell of some megabytes, as a notebook with data in it has."""
    word = "x" * 1_000
    records = ", ".join(f'{{n: {n}, word: "{word}"}}' for n in range(2_000))
    front_end.run(f"big = rows [ {records} ]").ok()
    done = front_end.run("big | summarize n: count(), last: max(n)").ok()
    assert front_end.table(done.shown[0]).rows == [["2000", "1999"]] or front_end.table(done.shown[0]).numbers("n") == [2000]


def test_a_subscriber_that_does_not_read_holds_nobody_up(front_end: FrontEnd) -> None:
    """A front end on a sleeping laptop: it is connected, and takes nothing."""
    info = front_end.manager.get_connection_info()
    with zmq.Context() as context, context.socket(zmq.SUB) as sleeper:
        sleeper.linger = 0
        sleeper.rcvhwm = 1
        sleeper.connect(f"{info['transport']}://{info['ip']}:{info['iopub_port']}")
        sleeper.subscribe(b"")
        # It has subscribed once it has been greeted; from then on it reads nothing.
        assert sleeper.poll(DEADLINE_S * 1000)
        text = "x" * 1_000_000
        for _ in range(24):
            assert len(front_end.run(f"%echo {text}").ok().stream("stdout")) == len(text) + 1
