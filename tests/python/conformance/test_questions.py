"""Questions that run nothing: completion, inspection, completeness, history, comms, what the kernel is."""

from __future__ import annotations

import re
import time

import pytest

from cells import TABLE
from front_end import DEADLINE_S, FrontEnd


class TestQuestions:
    def test_completion_counts_code_points(self, front_end: FrontEnd) -> None:
        front_end.run(TABLE).ok()
        code = 'x = rows [ {a: "\N{GRINNING FACE}\N{GRINNING FACE}"} ]\npens | whe'
        content = front_end.ask("complete_request", {"code": code, "cursor_pos": len(code)})
        assert content["status"] == "ok"
        assert "where" in content["matches"]
        assert (content["cursor_start"], content["cursor_end"]) == (len(code) - 3, len(code))

    @pytest.mark.parametrize("before", ["", "# e\u0301\u0302 \U0001f1e9\U0001f1ea \U0001f468\u200d\U0001f469\u200d\U0001f467\r\n", "a = 1 # \u05d0\u05d1\r\n\r\n", "\ufeff# x\n"])
    def test_positions_count_code_points_whatever_comes_before(self, front_end: FrontEnd, before: str) -> None:
        """Combining marks, flags, families, text from right to left, and every end of line count as what they are made of."""
        front_end.run(TABLE).ok()
        code = before + "pens | where na == 'x'"
        cursor = len(before) + len("pens | where na")
        content = front_end.ask("complete_request", {"code": code, "cursor_pos": cursor})
        assert content["matches"] == ["name"]
        assert code[content["cursor_start"] : content["cursor_end"]] == "na" and content["cursor_end"] == cursor
        for place in range(len(before), len(before) + len("pens") + 1):
            data = front_end.ask("inspect_request", {"code": code, "cursor_pos": place, "detail_level": 0})["data"]
            assert data["text/plain"].startswith("pens: a table"), place

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
        assert set(content["data"]) == {"text/plain", "text/markdown", "text/html"}
        assert all(text.strip() for text in content["data"].values())

    @pytest.mark.parametrize("code", ["pens", "pens | summarize", "pens | summarize total: sum", "t = read csv", "%explain", "set memory"])
    def test_plain_inspection_has_no_markup(self, front_end: FrontEnd, code: str) -> None:
        """JupyterLab shows the plain text beside a completion, as it is."""
        front_end.run(TABLE).ok()
        for level in (0, 1):
            data = front_end.ask("inspect_request", {"code": code, "cursor_pos": len(code), "detail_level": level})["data"]
            assert not re.search(r"`|\*\*\w|^#+ |^ *\|.*\|$|^ *```", data["text/plain"], re.MULTILINE), data["text/plain"]

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

    def test_comms(self, front_end: FrontEnd) -> None:
        assert front_end.ask("comm_info_request", {}) == {"status": "ok", "comms": {}}
        opened = front_end.send("comm_open", {"comm_id": "c1", "target_name": "nobody", "data": {}})
        end = time.monotonic() + DEADLINE_S
        while not front_end._is_idle(opened):
            front_end._read_iopub(end, "idle of comm_open")
        kinds = [m["msg_type"] for m in front_end.finished[opened]]
        assert kinds == ["status", "comm_close", "status"]
        assert front_end.finished[opened][1]["content"]["comm_id"] == "c1"

    def test_history(self, front_end: FrontEnd) -> None:
        codes = ["%eval 1 + 1", "%eval 2 + 2", "%eval 1 + 1"]
        for code in codes:
            front_end.run(code).ok()
        front_end.run("%eval 3", store_history=False)
        front_end.run("%eval 4", silent=True)

        def history(**content: object) -> list[list[object]]:
            return front_end.ask("history_request", {"output": False, "raw": True} | content)["history"]

        tail = history(hist_access_type="tail", n=3)
        assert [entry[2] for entry in tail] == codes
        session, line = tail[0][:2]
        span = history(hist_access_type="range", session=session, start=line, stop=line + 2)
        assert [entry[2] for entry in span] == codes[:2]
        assert len(history(hist_access_type="search", pattern="*1*")) == 2
        assert len(history(hist_access_type="search", pattern="*1*", unique=True)) == 1
        assert [entry[1] for entry in history(hist_access_type="search", pattern="%eval ? + ?", n=2)] == [2, 3]
        assert [entry[2] for entry in history(hist_access_type="search", pattern="*[2-9]*")] == ["%eval 2 + 2"]
        assert history(hist_access_type="tail", n=1, raw=False) == [[session, 3, codes[2]]]
        assert history(hist_access_type="tail", n=1, output=True) == [[session, 3, [codes[2], None]]]
        assert len(history(hist_access_type="range", session=0, start=1, stop=None)) == 3
        assert history(hist_access_type="range", session=session + 100, start=0, stop=9) == []

    def test_kernel_info(self, front_end: FrontEnd) -> None:
        shell = front_end.ask("kernel_info_request", {})
        assert shell == front_end.ask("kernel_info_request", {}, channel="control")
        assert shell["status"] == "ok"
        assert shell["protocol_version"].startswith("5.")
        assert isinstance(shell["supported_features"], list)
        language = shell["language_info"]
        assert (language["name"], language["file_extension"], language["mimetype"]) == ("tide", ".tide", "text/x-tide")
        assert language["version"] and language["pygments_lexer"] and language["codemirror_mode"]

    @pytest.mark.parametrize(
        ("code", "offered", "kind", "detail"),
        [
            ("pens | where na", "name", "column", "text"),
            ("pens | join pens as other on pens.id == other.", "id", "column", "int"),
            ("pens | derive long: length(name) | where lo", "long", "column", "int"),
            ("pens | summarize n: ", "count", "function", "count() -> int"),
            ('t = read csv("da', "data/", "folder", ""),
            ('t = read csv("data/', "orders.csv", "file", ""),
            ('orders = read csv("data/orders.csv")\norders | where ', "qty", "column", "int"),
            ("w = pens | derive r: {a: id, b: name}\nw | where r.", "b", "column", "text"),
            ('t = read csv("data/orders.csv", header: ', "true", "keyword", ""),
            ("%expl", "explain", "command", "%explain"),
            ("%help D01", "D0101", "diagnostic", ""),
            ("%help left j", "left join", "step", "left join"),
            ("pens | sumarize", "summarize", "step", "summarize"),
            ("pens | ", "where", "step", "where condition"),
            ("%errors pe", "pens", "table", "{id: int"),
            ("x = pens | where id > lim", "limited", "parameter", "param: int"),
        ],
    )
    def test_completion_says_what_it_offers(
        self, front_end: FrontEnd, code: str, offered: str, kind: str, detail: str
    ) -> None:
        (front_end.folder / "data").mkdir()
        (front_end.folder / "data" / "orders.csv").write_text("id,qty\n1,2\n")
        front_end.run(TABLE + "param limited: int = 1").ok()
        for before, after in [("", ""), ("# \N{GRINNING FACE} \u65e5\u672c\n", ""), ("a = 1\r\n", "\nother = pens")]:
            text = before + code
            content = front_end.ask("complete_request", {"code": text + after, "cursor_pos": len(text)})
            types = {item["text"]: item for item in content["metadata"]["_jupyter_types_experimental"]}
            assert list(types) == content["matches"], "one entry a match, in the same order"
            assert offered in types, content["matches"]
            found = types[offered]
            assert found["type"] == kind
            assert detail in found["signature"]
            assert (found["start"], found["end"]) == (content["cursor_start"], content["cursor_end"])
            assert content["cursor_end"] == len(text)
            typed = text[content["cursor_start"] :]
            assert "\n" not in typed and text.endswith(typed)

    def test_completion_documents(self, front_end: FrontEnd) -> None:
        content = front_end.ask("complete_request", {"code": "%tab", "cursor_pos": 4})
        (item,) = content["metadata"]["_jupyter_types_experimental"]
        assert item["documentation"]

    def test_the_cursor_may_be_left_out(self, front_end: FrontEnd) -> None:
        assert "tables" in front_end.ask("complete_request", {"code": "%tab"})["matches"]
        assert front_end.ask("inspect_request", {"code": "%tables"})["found"]

    @pytest.mark.parametrize(
        ("code", "cursor", "brief", "detailed"),
        [
            ("pens | where name == 'x'", 15, ["name: text", "`pens`"], []),
            ("pens", 2, ["| `id` | int |", "name  text"], ["pens = rows ["]),
            ("pens | summarize n: count()", 22, ["count() -> int"], []),
            ("pens | left join pens as p using (id)", 10, ["left join", "orders | left join products"], []),
            ('t = read csv("x")', 10, ["read csv(", "header"], ["verkauf.csv"]),
            ('t = read csv("x", header: true)', 21, ["header: bool"], []),
            ("%explain pens", 3, ["%explain"], []),
            ("%help D0101", 9, ["D0101"], ["Wrong:"]),
        ],
    )
    def test_inspection_has_levels(
        self, front_end: FrontEnd, code: str, cursor: int, brief: list[str], detailed: list[str]
    ) -> None:
        front_end.run(TABLE).ok()

        def inspected(level: int) -> str:
            request = {"code": code, "cursor_pos": cursor, "detail_level": level}
            content = front_end.ask("inspect_request", request)
            assert content["found"], code
            return content["data"]["text/plain"] + content["data"]["text/markdown"]

        for part in brief:
            assert part in inspected(0)
        for part in brief + detailed:
            assert part in inspected(1)

    def test_what_is_incomplete_says_how_to_go_on(self, front_end: FrontEnd) -> None:
        content = front_end.ask("is_complete_request", {"code": "t = pens |"})
        assert content["status"] == "incomplete" and content["indent"].isspace()

    def test_the_widget_managers_comm_is_accepted(self, front_end: FrontEnd) -> None:
        target = "jupyter.widget.control"
        assert [m["msg_type"] for m in front_end.quiet("comm_open", {"comm_id": "w", "target_name": target, "data": {}})] == [
            "status", "status"]
        assert front_end.ask("comm_info_request", {})["comms"] == {"w": {"target_name": target}}
        assert front_end.ask("comm_info_request", {"target_name": "other"})["comms"] == {}
        _, answer, _ = front_end.quiet("comm_msg", {"comm_id": "w", "data": {"method": "request_states"}})
        assert answer["content"]["data"]["method"] == "update_states"
        front_end.quiet("comm_close", {"comm_id": "w", "data": {}})
        assert front_end.ask("comm_info_request", {})["comms"] == {}

    def test_history_outlives_the_kernel(self, front_end: FrontEnd) -> None:
        front_end.run("%echo before").ok()

        def tail() -> list[list[object]]:
            return front_end.ask("history_request", {"hist_access_type": "tail", "n": 10})["history"]

        ((session, line, _),) = tail()
        front_end.client.stop_channels()
        front_end.manager.restart_kernel()
        front_end.connect()
        assert front_end.run("%echo after").ok().reply["content"]["execution_count"] == 1
        (earlier, later) = tail()
        assert earlier == [session, line, "%echo before"]
        assert later[0] > session and later[1:] == [1, "%echo after"]
        previous = {"hist_access_type": "range", "session": session - later[0], "start": 1, "stop": 9}
        assert front_end.ask("history_request", previous)["history"] == [earlier]
