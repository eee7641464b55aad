"""Several clients of one kernel: each has its own replies, all see what is published, and none harms the others."""

from __future__ import annotations

import json
from typing import Any, Iterator

import pytest
import zmq

from front_end import DEADLINE_S, FrontEnd


@pytest.fixture
def second(front_end: FrontEnd) -> Iterator[Any]:
    """Another client of the same kernel."""
    client = front_end.manager.client()
    client.session.session = "the-second-client"
    client.start_channels()
    client.wait_for_ready(timeout=DEADLINE_S)
    yield client
    client.stop_channels()


def test_each_gets_its_own_replies_and_both_see_what_is_published(front_end: FrontEnd, second: Any) -> None:
    mine, theirs = front_end.submit("%echo mine"), second.execute("%echo theirs")
    assert front_end.finish(mine).ok().stream("stdout") == "mine\n"
    reply = second.get_shell_msg(timeout=DEADLINE_S)
    assert reply["parent_header"]["msg_id"] == theirs
    published: dict[str, list[str]] = {mine: [], theirs: []}
    while "idle" not in published[mine] or "idle" not in published[theirs]:
        message = second.get_iopub_msg(timeout=DEADLINE_S)
        kind = message["content"].get("execution_state", message["msg_type"])
        published.setdefault(message["parent_header"].get("msg_id"), []).append(kind)
    assert published[mine] == published[theirs] == ["busy", "execute_input", "stream", "idle"]
    front_end._read_iopub_until_idle(theirs)
    assert front_end.replies == {}, "the other client's reply went to the other client"


def test_an_error_of_one_aborts_only_what_is_queued_by_then(front_end: FrontEnd, second: Any) -> None:
    assert front_end.run("nobody").status == "error"
    second.execute("%echo on")
    assert second.get_shell_msg(timeout=DEADLINE_S)["content"]["status"] == "ok"


def test_a_table_that_another_page_shows_anew_says_so(front_end: FrontEnd, second: Any) -> None:
    """The notebook is open on two pages; its cell is run on one, then on the other, which alone goes on showing it."""
    code = "ticks = read demo.ticks(rate: 50)\nticks | summarize n: count()"
    first = front_end.run(code, cell="same").ok().shown[0]
    again = second.session.msg("execute_request", {"code": code}, metadata={"cellId": "same"})
    second.shell_channel.send(again)
    assert second.get_shell_msg(timeout=DEADLINE_S)["content"]["status"] == "ok"
    front_end.wait_for(first, lambda _: "the cell was run again" in front_end.text(first))
    front_end._read_iopub_until_idle(again["header"]["msg_id"])
    (shown,) = [m["content"]["transient"]["display_id"] for m in front_end.finished[again["header"]["msg_id"]]
                if m["msg_type"] == "display_data" and m["content"]["transient"]]
    frames = len(front_end.screen[first])
    count = front_end.table(shown).numbers("n")[0]
    front_end.wait_for(shown, lambda table: table.numbers("n")[0] > count + 20)
    assert len(front_end.screen[first]) == frames and "run again" not in front_end.text(shown)


def test_one_that_leaves_while_its_cell_runs(front_end: FrontEnd) -> None:
    leaver = front_end.manager.client()
    leaver.start_channels()
    leaver.wait_for_ready(timeout=DEADLINE_S)
    request = leaver.execute("t = read demo.ticks(rate: 1000, rows: 500)\nt | summarize n: count()\nexpect t within 20s is not empty")
    front_end.await_output(request, "display_data")
    leaver.stop_channels()
    front_end._read_iopub_until_idle(request)
    assert front_end.run("%echo on").ok().stream("stdout") == "on\n"


def test_every_subscriber_is_welcomed_first_and_under_its_topic(front_end: FrontEnd) -> None:
    info = front_end.manager.get_connection_info()
    with zmq.Context() as context, context.socket(zmq.SUB) as everything, context.socket(zmq.SUB) as statuses:
        for socket, topic in [(everything, b""), (statuses, b"status")]:
            socket.linger = 0
            socket.connect(f"{info['transport']}://{info['ip']}:{info['iopub_port']}")
            socket.subscribe(topic)
            assert socket.poll(DEADLINE_S * 1000)
            first = front_end.client.session.feed_identities(socket.recv_multipart())
            header, parent, _, content = (json.loads(part) for part in first[1][1:5])
            assert (first[0], header["msg_type"], parent) == ([topic], "iopub_welcome", {})
            assert content == {"subscription": topic.decode()}
        front_end.run("%echo hello").ok()
        topics = []
        while topics.count(b"status") < 2:
            assert statuses.poll(DEADLINE_S * 1000)
            topics.append(statuses.recv_multipart()[0])
        assert set(topics) == {b"status"}


def test_subscriptions_come_and_go(front_end: FrontEnd) -> None:
    info = front_end.manager.get_connection_info()
    for _ in range(30):
        with zmq.Context() as context, context.socket(zmq.SUB) as socket:
            socket.linger = 0
            socket.connect(f"{info['transport']}://{info['ip']}:{info['iopub_port']}")
            socket.subscribe(b"")
            assert socket.poll(DEADLINE_S * 1000)
            socket.unsubscribe(b"")
    assert front_end.run("%echo on").ok().stream("stdout") == "on\n"


def test_a_subscriber_that_does_not_read_holds_nobody_up(front_end: FrontEnd) -> None:
    """A front end on a sleeping laptop: it is connected, and takes nothing. The others get everything, once."""
    info = front_end.manager.get_connection_info()
    with zmq.Context() as context, context.socket(zmq.SUB) as sleeper:
        sleeper.linger = 0
        sleeper.rcvhwm = 1
        sleeper.connect(f"{info['transport']}://{info['ip']}:{info['iopub_port']}")
        sleeper.subscribe(b"")
        # It has subscribed once it has been greeted; from then on it reads nothing.
        assert sleeper.poll(DEADLINE_S * 1000)
        text = "x" * 1_000_000
        for _ in range(100):
            assert len(front_end.run(f"%echo {text}").ok().stream("stdout")) == len(text) + 1


def test_a_message_of_64_mib_in_and_out(front_end: FrontEnd) -> None:
    text = "x" * (64 << 20)
    done = front_end.finish(front_end.submit(f"%echo {text}", store_history=False), deadline_s=120)
    if done.status == "ok":
        assert len(done.stream("stdout")) == len(text) + 1
    else:
        # Cells may have a limit; the kernel says so and goes on.
        assert done.reply["content"]["evalue"]
    assert front_end.run("%echo on").ok().stream("stdout") == "on\n"


def test_large_cells_and_outputs_pass(front_end: FrontEnd) -> None:
    """A cell of some megabytes, as a notebook with data in it has."""
    word = "x" * 1_000
    records = ", ".join(f'{{n: {n}, word: "{word}"}}' for n in range(2_000))
    front_end.run(f"big = rows [ {records} ]").ok()
    done = front_end.run("big | summarize n: count(), last: max(n)").ok()
    assert front_end.table(done.shown[0]).numbers("n") == [2000]
