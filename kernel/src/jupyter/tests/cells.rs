//! Running cells: order, parents, failures, interrupts.

use serde_json::json;

use super::front_end::FrontEnd;

#[tokio::test(flavor = "multi_thread")]
async fn a_cell_publishes_everything_between_busy_and_idle() {
    let mut it = FrontEnd::start().await;
    let code = "echo one\nmarkup two\nvalue three\nwarn four\nclear wait\nhelp five";
    let id = it.execute(code).await;
    it.busy(&id).await;
    assert_eq!(it.expect("execute_input", &id).await.content, json!({"code": code, "execution_count": 1}));
    assert_eq!(it.expect("stream", &id).await.content, json!({"name": "stdout", "text": "one\n"}));
    let markup = it.expect("display_data", &id).await.content;
    assert_eq!(markup["data"], json!({"text/html": "<i>two</i>", "text/plain": "two"}));
    let value = it.expect("execute_result", &id).await.content;
    assert_eq!(value, json!({"execution_count": 1, "data": {"text/plain": "three"}, "metadata": {}}));
    assert_eq!(it.expect("stream", &id).await.content, json!({"name": "stderr", "text": "four\n"}));
    assert_eq!(it.expect("clear_output", &id).await.content, json!({"wait": true}));
    it.idle(&id).await;
    let page = json!({"source": "page", "data": {"text/html": "<i>five</i>", "text/plain": "five"}, "start": 0});
    let expected = json!({"status": "ok", "execution_count": 1, "user_expressions": {}, "payload": [page]});
    assert_eq!(it.reply_to(&id, "ok").await, expected);
    it.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_says_the_same_in_the_reply_and_on_iopub() {
    let mut it = FrontEnd::start().await;
    for (code, name, value) in [("fail no", "DiagnosticError", "no"), ("panic !", "RuntimeError", "the cell broke")] {
        let id = it.execute(code).await;
        it.begun(&id, code).await;
        let error = it.expect("error", &id).await;
        it.idle(&id).await;
        let reply = it.reply_to(&id, "error").await;
        assert_eq!(error.text("/ename"), name);
        assert!(error.text("/evalue").starts_with(value));
        for field in ["ename", "evalue", "traceback"] {
            assert_eq!(reply[field], error.content[field]);
        }
    }
    it.run_quiet("").await;
    it.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn expressions_are_answered_each_by_itself_after_a_cell_that_succeeds() {
    let mut it = FrontEnd::start().await;
    let asked = json!({"length": "four", "none": "x", "odd": 7});
    for silent in [false, true] {
        let content = json!({"code": "", "silent": silent, "user_expressions": asked});
        let id = it.ask("execute_request", content).await;
        it.busy(&id).await;
        if !silent {
            it.expect("execute_input", &id).await;
        }
        it.idle(&id).await;
        let answers = it.reply_to(&id, "ok").await["user_expressions"].clone();
        assert_eq!(answers["length"], json!({"status": "ok", "data": {"text/plain": "4"}, "metadata": {}}));
        assert_eq!((&answers["none"]["status"], &answers["none"]["evalue"]), (&json!("error"), &json!("no value")));
        assert_eq!(answers["none"]["ename"], "DiagnosticError");
        assert!(answers["none"]["traceback"].as_array().is_some_and(|lines| !lines.is_empty()));
        assert_eq!(answers["odd"]["status"], "ok", "what is no text is an empty expression");
    }
    let failing = it.ask("execute_request", json!({"code": "fail no", "user_expressions": asked})).await;
    it.begun(&failing, "fail no").await;
    it.expect("error", &failing).await;
    it.idle(&failing).await;
    assert_eq!(it.reply_to(&failing, "error").await["user_expressions"], json!({}));
    it.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_aborts_what_was_sent_before_it_was_known_and_nothing_later() {
    let mut it = FrontEnd::start().await;
    let code = "wait\nfail no";
    let first = it.execute(code).await;
    it.begun(&first, code).await;
    let second = it.execute("echo never").await;
    let third = it.execute("echo never").await;
    // Other requests are answered while the cell runs; this one was sent last, so the cells before it have arrived.
    let info = it.answer("kernel_info_request", json!({})).await;
    assert_eq!(info["status"], "ok");
    it.host.open_gate();
    it.expect("error", &first).await;
    it.idle(&first).await;
    it.reply_to(&first, "error").await;
    for id in [second, third] {
        it.busy(&id).await;
        it.idle(&id).await;
        it.reply_to(&id, "aborted").await;
    }
    let later = it.execute("echo later").await;
    it.begun(&later, "echo later").await;
    assert_eq!(it.expect("stream", &later).await.text("/text"), "later\n");
    it.idle(&later).await;
    assert_eq!(it.reply_to(&later, "ok").await["execution_count"], 2);
    it.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_front_end_may_ask_to_go_on_after_a_failure() {
    let mut it = FrontEnd::start().await;
    let code = "wait\nfail no";
    let first = it.ask("execute_request", json!({"code": code, "stop_on_error": false})).await;
    it.begun(&first, code).await;
    let second = it.execute("echo on").await;
    it.answer("kernel_info_request", json!({})).await;
    it.host.open_gate();
    it.expect("error", &first).await;
    it.idle(&first).await;
    it.reply_to(&first, "error").await;
    it.begun(&second, "echo on").await;
    it.expect("stream", &second).await;
    it.idle(&second).await;
    it.reply_to(&second, "ok").await;
    it.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn silent_and_unstored_cells_leave_the_counter_alone() {
    let mut it = FrontEnd::start().await;
    let silent = it.ask("execute_request", json!({"code": "echo a\nvalue b\nshow c", "silent": true})).await;
    it.busy(&silent).await;
    it.idle(&silent).await;
    assert_eq!(it.reply_to(&silent, "ok").await["execution_count"], 0);
    let unstored = it.ask("execute_request", json!({"code": "clear", "store_history": false})).await;
    it.begun(&unstored, "clear").await;
    it.expect("clear_output", &unstored).await;
    it.idle(&unstored).await;
    assert_eq!(it.reply_to(&unstored, "ok").await["execution_count"], 0);
    let failing = it.ask("execute_request", json!({"code": "fail quietly", "silent": true})).await;
    it.busy(&failing).await;
    it.idle(&failing).await;
    assert_eq!(it.reply_to(&failing, "error").await["evalue"], "quietly");
    let stored = it.execute("").await;
    it.busy(&stored).await;
    assert_eq!(it.expect("execute_input", &stored).await.content["execution_count"], 1);
    it.idle(&stored).await;
    it.reply_to(&stored, "ok").await;
    let history = it.answer("history_request", json!({"hist_access_type": "tail", "n": 5})).await;
    assert_eq!(history["history"], json!([[1, 1, ""]]));
    it.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupt_ends_the_running_cell_and_no_other() {
    let mut it = FrontEnd::start().await;
    let idle = it.command("interrupt_request", json!({})).await;
    it.busy(&idle).await;
    it.idle(&idle).await;
    assert_eq!(it.obeyed().await.parent, idle);
    let id = it.execute("wait").await;
    it.begun(&id, "wait").await;
    let interrupt = it.command("interrupt_request", json!({})).await;
    let reply = it.obeyed().await;
    assert_eq!((reply.kind.as_str(), reply.parent.as_str()), ("interrupt_reply", interrupt.as_str()));
    assert_eq!(reply.content, json!({"status": "ok"}));
    // The cell's thread and the control thread publish each in its own order.
    let mut seen = Vec::new();
    for _ in 0..4 {
        let message = it.published().await;
        seen.push((message.parent == id, message.kind));
    }
    let of = |cell: bool| seen.iter().filter(|(of, _)| *of == cell).map(|(_, kind)| kind.as_str()).collect::<Vec<_>>();
    assert_eq!((of(true), of(false)), (vec!["error", "status"], vec!["status", "status"]));
    assert_eq!(it.reply_to(&id, "error").await["ename"], "Interrupted");
    it.host.open_gate();
    it.run_quiet("wait").await;
    it.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cells_are_known_by_the_front_ends_id_or_their_own() {
    let mut it = FrontEnd::start().await;
    let mut message = super::front_end::request("execute_request", json!({"code": "echo x"}));
    message.metadata = json!({"cellId": "abc"});
    it.shell.send(message).await.unwrap();
    assert_eq!(it.replied().await.text("/status"), "ok");
    let second = it.execute("echo y").await;
    it.reply_to(&second, "ok").await;
    let expected = vec![("abc".to_string(), "cell 1".to_string()), (second, "cell 2".to_string())];
    assert_eq!(it.host.state().cells, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_text_arrives_whole_in_few_messages() {
    let mut it = FrontEnd::start().await;
    let code = "flood 50000";
    let id = it.execute(code).await;
    it.begun(&id, code).await;
    let (mut text, mut messages) = (String::new(), 0);
    loop {
        let message = it.published().await;
        if message.kind == "status" {
            break;
        }
        text.push_str(message.text("/text"));
        messages += 1;
    }
    let expected: String = (0..50000).map(|i| format!("{i}\n")).collect();
    assert!(text == expected, "{} of {} bytes", text.len(), expected.len());
    assert!(messages < 200, "{messages} messages");
    it.reply_to(&id, "ok").await;
    it.end().await;
}
