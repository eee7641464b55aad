"""Running cells: order and parents of messages, counters, failures, what they show."""

from __future__ import annotations

import json
import re

from cells import TABLE, WRONG, own, wait_for_an_hour
from front_end import FrontEnd


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

    def test_a_request_on_control_is_answered_there(self, front_end: FrontEnd) -> None:
        """The protocol has it on shell; a client that uses control is not left waiting."""
        request = front_end.send("execute_request", {"code": "%echo over there"}, channel="control")
        done = front_end.finish(request, "control").ok()
        assert done.kinds == ["busy", "execute_input", "stream", "idle"] and own(done.messages, request)
        assert done.reply["msg_type"] == "execute_reply" and done.stream("stdout") == "over there\n"
        running = wait_for_an_hour(front_end)
        queued = front_end.send("execute_request", {"code": "%echo never"}, channel="control")
        front_end.ask("interrupt_request", {}, channel="control")
        assert front_end.finish(running).status == "error"
        assert front_end.finish(queued, "control").status == "aborted"

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

    def test_parents_on_both_channels(self, front_end: FrontEnd) -> None:
        for channel, kind in [("shell", "kernel_info_request"), ("control", "kernel_info_request"), ("shell", "history_request"),
                              ("shell", "comm_info_request"), ("control", "interrupt_request")]:
            request = front_end.send(kind, {"hist_access_type": "tail", "n": 1}, channel=channel)
            done = front_end.finish(request, channel)
            assert done.kinds == ["busy", "idle"], (channel, kind)
            assert own(done.messages, request) and done.reply["parent_header"]["msg_id"] == request
            assert done.reply["msg_type"] == kind.replace("_request", "_reply")

    def test_headers(self, front_end: FrontEnd) -> None:
        request = front_end.submit("%echo hello")
        done = front_end.finish(request).ok()
        for message in [done.reply, *done.messages]:
            header = message["header"]
            assert header["version"] == "5.4" and header["date"] and header["session"] and header["username"]
            assert message["parent_header"]["session"] == front_end.client.session.session
        ids = [m["header"]["msg_id"] for m in [done.reply, *done.messages]]
        assert len(set(ids)) == len(ids)

    def test_user_expressions(self, front_end: FrontEnd) -> None:
        asked = {"sum": "1 + n", "text": 'f"{n} is it"', "wrong": "nobody + 1", "fails": "1 / 0"}
        done = front_end.run("param n: int = 6 * 7", user_expressions=asked).ok()
        given = done.reply["content"]["user_expressions"]
        assert list(given) == list(asked)
        assert given["sum"] == {"status": "ok", "data": {"text/plain": "43"}, "metadata": {}}
        assert given["text"]["data"]["text/plain"] == "42 is it"
        for name in ("wrong", "fails"):
            assert given[name]["status"] == "error" and given[name]["evalue"] and given[name]["ename"]
            assert isinstance(given[name]["traceback"], list) and given[name]["traceback"]
        assert front_end.run(WRONG, user_expressions=asked).reply["content"]["user_expressions"] == {}
        silent = front_end.run("", user_expressions={"n": "n"}, silent=True).ok()
        assert silent.reply["content"]["user_expressions"]["n"]["data"] == {"text/plain": "42"}

    def test_the_count_on_iopub_is_that_of_the_reply(self, front_end: FrontEnd) -> None:
        for _ in range(3):
            done = front_end.run("%eval 1 + 1").ok()
            counts = {m["content"]["execution_count"] for m in done.of("execute_input") + done.of("execute_result")}
            assert counts == {done.reply["content"]["execution_count"]}

    def test_a_payload_for_the_pager(self, front_end: FrontEnd) -> None:
        done = front_end.run("%help summarize").ok()
        (page,) = done.reply["content"]["payload"]
        assert (page["source"], page["start"]) == ("page", 0)
        assert "summarize" in page["data"]["text/plain"] and page["data"]["text/html"]
        assert done.kinds == ["busy", "execute_input", "idle"]

    def test_a_traceback_is_coloured_and_underlines_by_code_points(self, front_end: FrontEnd) -> None:
        code = 'faces = rows [ {a: "\N{GRINNING FACE}"} ]\nfaces | derive b: "\N{GRINNING FACE}" + c'
        content = front_end.run(code).reply["content"]
        coloured = "\n".join(content["traceback"])
        assert "\x1b[" in coloured
        plain = re.sub(r"\x1b\[[0-9;]*m", "", coloured).splitlines()
        column = code.splitlines()[1].index("c", 20) + 1
        assert plain[1].endswith(f":2:{column}")
        # A face is two columns wide on screen.
        source, marks = plain[2:4]
        assert marks.index("^") == source.index("+ c") + 2 + 1

    def test_a_cell_larger_than_its_limit_is_refused_and_the_kernel_lives(self, front_end: FrontEnd) -> None:
        done = front_end.run("# " + "x" * 10_000_000 + "\n%echo after")
        assert done.status in ("ok", "error")
        assert front_end.run("%echo on").ok().stream("stdout") == "on\n"

    def test_a_wide_and_long_table_is_cut_with_a_note(self, front_end: FrontEnd) -> None:
        columns = ", ".join(f'c{i}: "{"x" * 100}"' for i in range(300))
        front_end.run("wide = " + "rows [ " + ", ".join(f"{{ n: {n}, {columns} }}" for n in range(40)) + " ]").ok()
        done = front_end.run("wide | show limit 1000").ok()
        (shown,) = done.of("display_data")
        html = front_end.screen[done.shown[0]][-1]["text/html"]
        assert len(html) < 2_000_000
        assert "more columns" in html and "more columns" in shown["content"]["data"]["text/plain"]
