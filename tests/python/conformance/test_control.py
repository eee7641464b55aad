"""Interrupt, shutdown, restart, and what is answered while a cell runs."""

from __future__ import annotations

import pytest

from cells import FOREVER, TABLE, wait_for_an_hour
from front_end import DEADLINE_S, FrontEnd


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

    def test_many_interrupts_of_an_idle_kernel_and_one_while_it_runs(self, front_end: FrontEnd) -> None:
        for _ in range(5):
            front_end.ask("interrupt_request", {}, channel="control")
        running = wait_for_an_hour(front_end)
        front_end.ask("interrupt_request", {}, channel="control")
        assert front_end.finish(running).reply["content"]["ename"] == "Interrupted"
        front_end.run(TABLE + "expect pens is not empty").ok()

    def test_an_interrupt_that_comes_as_soon_as_the_cell_is_known_to_run(self, front_end: FrontEnd) -> None:
        front_end.run(FOREVER["rows"].splitlines()[0]).ok()
        for _ in range(20):
            running = front_end.submit(FOREVER["rows"].splitlines()[1])
            front_end.await_output(running, "status")
            front_end.ask("interrupt_request", {}, channel="control")
            assert front_end.finish(running).reply["content"]["ename"] == "Interrupted"
        assert front_end.run("%echo on").ok().stream("stdout") == "on\n"

    def test_one_interrupt_ends_every_wait_of_a_cell(self, front_end: FrontEnd) -> None:
        front_end.run("never = rows [ {n: 1} ] | where n < 0").ok()
        running = front_end.submit("never\nexpect never within 3600s is not empty\nexpect never within 1800s is not empty")
        front_end.await_output(running, "display_data")
        front_end.ask("interrupt_request", {}, channel="control")
        done = front_end.finish(running)
        assert done.reply["content"]["ename"] == "Interrupted"
        assert "3600s" in "".join(done.reply["content"]["traceback"]) or "interrupted" in done.reply["content"]["evalue"]

    def test_an_interrupt_aborts_what_is_queued(self, front_end: FrontEnd) -> None:
        running, queued = wait_for_an_hour(front_end), front_end.submit("%echo never")
        front_end.ask("interrupt_request", {}, channel="control")
        assert front_end.finish(running).status == "error"
        assert front_end.finish(queued).status == "aborted"
        assert front_end.run("%echo on").ok().stream("stdout") == "on\n"

    def test_questions_are_answered_while_a_cell_runs(self, front_end: FrontEnd) -> None:
        front_end.run(TABLE).ok()
        running = wait_for_an_hour(front_end)
        assert front_end.ask("inspect_request", {"code": "pens", "cursor_pos": 2})["found"]
        assert front_end.ask("is_complete_request", {"code": "pens"})["status"] == "complete"
        assert front_end.ask("history_request", {"hist_access_type": "tail", "n": 1})["history"]
        assert front_end.ask("comm_info_request", {})["comms"] == {}
        assert front_end.ask("kernel_info_request", {}, channel="control")["supported_features"] == []
        front_end.ask("interrupt_request", {}, channel="control")
        front_end.finish(running)


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

    def test_an_interrupt_right_before_the_shutdown(self, front_end: FrontEnd) -> None:
        wait_for_an_hour(front_end)
        process = front_end.manager.provisioner.process
        front_end.send("interrupt_request", {}, channel="control")
        request = front_end.send("shutdown_request", {"restart": True}, channel="control")
        assert front_end.reply(request, "control")["content"] == {"status": "ok", "restart": True}
        assert process.wait(DEADLINE_S) == 0

    def test_a_shutdown_is_told_on_iopub(self, front_end: FrontEnd) -> None:
        request = front_end.send("shutdown_request", {"restart": False}, channel="control")
        front_end.await_output(request, "shutdown_reply")
        front_end.manager.provisioner.process.wait(DEADLINE_S)

    def test_a_shutdown_on_shell_is_obeyed(self, front_end: FrontEnd) -> None:
        request = front_end.send("shutdown_request", {"restart": False})
        assert front_end.reply(request)["content"]["status"] == "ok"
        assert front_end.manager.provisioner.process.wait(DEADLINE_S) == 0

    def test_restart_while_a_cell_runs(self, front_end: FrontEnd) -> None:
        wait_for_an_hour(front_end)
        front_end.client.stop_channels()
        front_end.manager.restart_kernel()
        front_end.connect()
        assert front_end.run("%echo on").ok().stream("stdout") == "on\n"
