//! Messages that no proper front end sends: they are dropped or refused, and the kernel goes on.

use jupyter_zmq_client::peer_identity_for_session;
use jupyter_zmq_client::{create_client_control_connection, create_client_shell_connection_with_identity};
use serde_json::json;

use super::front_end::{FrontEnd, request};

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_signature_is_dropped() {
    let mut it = FrontEnd::start().await;
    let mut forged = it.info.clone();
    forged.key = "another key".to_string();
    let identity = peer_identity_for_session("forger").unwrap();
    let mut forger = create_client_shell_connection_with_identity(&forged, "forger", identity).await.unwrap();
    let mut controller = create_client_control_connection(&forged, "forger").await.unwrap();
    forger.send(request("execute_request", json!({"code": "echo forged"}))).await.unwrap();
    controller.send(request("shutdown_request", json!({"restart": false}))).await.unwrap();
    assert_eq!(it.answer("kernel_info_request", json!({})).await["status"], "ok");
    assert!(it.host.state().cells.is_empty());
    it.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_a_message_is_dropped() {
    // Without a key nothing is signed, so that these get as far as they can.
    let mut it = FrontEnd::with_key("").await;
    let header = r#"{"msg_id": "m", "msg_type": "execute_request"}"#;
    let hostile: [&[&str]; 8] = [
        &["no delimiter"],
        &["<IDS|MSG>"],
        &["<IDS|MSG>", ""],
        &["<IDS|MSG>", "", header, "{}", "{}"],
        &["<IDS|MSG>", "", "{", "{}", "{}", "{}"],
        &["<IDS|MSG>", "", "[]", "{}", "{}", "{}"],
        &["<IDS|MSG>", "", r#"{"msg_id": 1, "msg_type": 2}"#, "{}", "{}", "{}"],
        &["<IDS|MSG>", "", header, "{}", "{}", "{\"code\": "],
    ];
    for frames in hostile {
        it.send_frames(frames).await;
    }
    assert_eq!(it.answer("kernel_info_request", json!({})).await["status"], "ok");
    // The least that is a request.
    it.send_frames(&["<IDS|MSG>", "", header, "null", "[]", r#"{"code": 7, "silent": "x"}"#]).await;
    it.begun("m", "").await;
    it.idle("m").await;
    it.reply_to("m", "ok").await;
    it.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_types_are_ignored_between_busy_and_idle() {
    let mut it = FrontEnd::start().await;
    for kind in ["debug_request", "create_subshell_request", "gossip", "execute_reply", ""] {
        let ignored = it.ask(kind, json!({"seq": 1})).await;
        it.busy(&ignored).await;
        it.idle(&ignored).await;
    }
    // The next reply is to this: the others had none.
    assert_eq!(it.answer("kernel_info_request", json!({})).await["status"], "ok");
    it.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_comes_again_is_not_obeyed_again() {
    let mut it = FrontEnd::start().await;
    let message = request("execute_request", json!({"code": "echo once"}));
    let id = message.header.msg_id.clone();
    // Copies go out with the same bytes and so with the same signature; on the other channel it is the same message.
    it.shell.send(message.clone()).await.unwrap();
    it.shell.send(message.clone()).await.unwrap();
    it.begun(&id, "echo once").await;
    it.expect("stream", &id).await;
    it.idle(&id).await;
    it.reply_to(&id, "ok").await;
    it.control.send(message).await.unwrap();
    let info = it.command("kernel_info_request", json!({})).await;
    it.busy(&info).await;
    it.idle(&info).await;
    assert_eq!(it.obeyed().await.parent, info);
    assert_eq!(it.answer("kernel_info_request", json!({})).await["status"], "ok");
    // An id that comes again with another content is another request, as the signature shows.
    let mut other = request("execute_request", json!({"code": "echo twice"}));
    other.header.msg_id.clone_from(&id);
    it.shell.send(other).await.unwrap();
    it.begun(&id, "echo twice").await;
    it.expect("stream", &id).await;
    it.idle(&id).await;
    it.reply_to(&id, "ok").await;
    it.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_of_64_mib_passes_in_and_out() {
    let mut it = FrontEnd::start().await;
    let text = "z".repeat(64 << 20);
    let code = format!("value {text}");
    let id = it.execute(&code).await;
    it.begun(&id, &code).await;
    assert!(it.expect("execute_result", &id).await.text("/data/text~1plain") == text);
    it.idle(&id).await;
    it.reply_to(&id, "ok").await;
    it.end().await;
}
