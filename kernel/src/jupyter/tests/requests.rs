//! Requests that run nothing.

use serde_json::json;

use super::front_end::FrontEnd;

#[tokio::test(flavor = "multi_thread")]
async fn the_kernel_says_what_it_is_on_both_channels_while_a_cell_runs() {
    let mut it = FrontEnd::start().await;
    let cell = it.execute("wait").await;
    it.begun(&cell, "wait").await;
    let info = it.answer("kernel_info_request", json!({})).await;
    assert_eq!((&info["status"], &info["protocol_version"]), (&json!("ok"), &json!("5.4")));
    assert_eq!(info["supported_features"], json!([]));
    let language = &info["language_info"];
    assert_eq!((&language["name"], &language["version"]), (&json!("tide"), &json!("9.9")));
    assert_eq!((&language["mimetype"], &language["file_extension"]), (&json!("text/x-tide"), &json!(".tide")));
    assert_eq!(language["pygments_lexer"], "tide");
    let id = it.command("kernel_info_request", json!({})).await;
    it.busy(&id).await;
    it.idle(&id).await;
    let reply = it.obeyed().await;
    assert_eq!((reply.parent, reply.content), (id, info));
    it.host.open_gate();
    it.idle(&cell).await;
    it.reply_to(&cell, "ok").await;
    it.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn positions_are_code_points() {
    let mut it = FrontEnd::start().await;
    let asked = json!({"code": "é😀 wo rest", "cursor_pos": 5});
    let completion = it.answer("complete_request", asked).await;
    assert_eq!(completion["matches"], json!(["word"]));
    assert_eq!((&completion["cursor_start"], &completion["cursor_end"]), (&json!(3), &json!(5)));
    let types = json!([{"start": 3, "end": 5, "text": "word", "type": "step", "signature": "a detail", "documentation": "help"}]);
    assert_eq!(completion["metadata"], json!({"_jupyter_types_experimental": types}));
    let found = it.answer("inspect_request", json!({"code": "é😀 wo", "cursor_pos": 3, "detail_level": 0})).await;
    let data = |text| json!({"text/html": "<b>wo</b>", "text/markdown": "**wo**", "text/plain": text});
    assert_eq!(found, json!({"status": "ok", "found": true, "data": data("about wo"), "metadata": {}}));
    let detailed = it.answer("inspect_request", json!({"code": "é😀 wo", "cursor_pos": 3, "detail_level": 1})).await;
    assert_eq!(detailed["data"], data("all about wo"));
    let unknown = it.answer("inspect_request", json!({"code": "x", "cursor_pos": 0})).await;
    assert_eq!(unknown, json!({"status": "ok", "found": false, "data": {}, "metadata": {}}));
    it.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn completeness_and_history() {
    let mut it = FrontEnd::start().await;
    let cases = [
        ("a |", json!({"status": "incomplete", "indent": "  "})),
        ("a !", json!({"status": "invalid"})),
        ("a", json!({"status": "complete"})),
    ];
    for (code, expected) in cases {
        assert_eq!(it.answer("is_complete_request", json!({"code": code})).await, expected);
    }
    it.run_quiet("").await;
    // No `unique`, no `output`, no `raw`: clients leave them out.
    let history = it.answer("history_request", json!({"hist_access_type": "search", "pattern": "*"})).await;
    assert_eq!(history, json!({"status": "ok", "history": [[1, 1, ""]]}));
    it.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_known_comm_targets_are_accepted() {
    let mut it = FrontEnd::start().await;
    let opened = it.ask("comm_open", json!({"comm_id": "a", "target_name": "nobody", "data": {}})).await;
    it.busy(&opened).await;
    assert_eq!(it.expect("comm_close", &opened).await.content, json!({"comm_id": "a", "data": {}}));
    it.idle(&opened).await;
    let target = "jupyter.widget.control";
    let opened = it.ask("comm_open", json!({"comm_id": "b", "target_name": target, "data": {}})).await;
    it.busy(&opened).await;
    it.idle(&opened).await;
    let asked = it.ask("comm_msg", json!({"comm_id": "b", "data": {"method": "request_states"}})).await;
    it.busy(&asked).await;
    assert_eq!(it.expect("comm_msg", &asked).await.text("/data/method"), "update_states");
    it.idle(&asked).await;
    let comms = it.answer("comm_info_request", json!({})).await;
    assert_eq!(comms, json!({"status": "ok", "comms": {"b": {"target_name": target}}}));
    let others = it.answer("comm_info_request", json!({"target_name": "jupyter.widget"})).await;
    assert_eq!(others["comms"], json!({}));
    let closed = it.ask("comm_close", json!({"comm_id": "b"})).await;
    it.busy(&closed).await;
    it.idle(&closed).await;
    assert_eq!(it.answer("comm_info_request", json!({})).await["comms"], json!({}));
    it.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_is_answered_and_ends_the_kernel_and_its_cell() {
    let mut it = FrontEnd::start().await;
    let cell = it.execute("wait").await;
    it.begun(&cell, "wait").await;
    let id = it.command("shutdown_request", json!({"restart": true})).await;
    let reply = it.obeyed().await;
    assert_eq!((reply.kind.as_str(), reply.parent), ("shutdown_reply", id));
    assert_eq!(reply.content, json!({"status": "ok", "restart": true}));
    assert_eq!(it.reply_to(&cell, "error").await["ename"], "Interrupted");
    it.ended().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_heart_beats() {
    use zeromq::{SocketRecv, SocketSend, ZmqMessage};
    let it = FrontEnd::start().await;
    let mut heart = jupyter_zmq_client::create_client_heartbeat_connection(&it.info).await.unwrap();
    for beat in ["ping", "pong"] {
        heart.socket.send(ZmqMessage::from(beat)).await.unwrap();
        let echo = heart.socket.recv().await.unwrap();
        assert_eq!(echo.get(0).map(|frame| frame.to_vec()), Some(beat.as_bytes().to_vec()));
    }
    it.end().await;
}
