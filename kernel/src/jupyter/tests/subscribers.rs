//! A subscriber that does not read.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use jupyter_protocol::{ConnectionInfo, Transport};
use jupyter_zmq_client::{
    ClientIoPubConnection, RawMessage, create_client_iopub_connection, create_kernel_iopub_xpub_connection,
};
use serde_json::{Value, json};
use tokio::time::timeout;
use zeromq::SocketRecv;

use crate::jupyter::iopub::{Patience, publish};
use crate::jupyter::message::publication;
use crate::jupyter::queue::Queue;

/// More than sockets hold between them.
const MESSAGES: u64 = 400;
const MESSAGE_BYTES: usize = 256 << 10;

fn iopub_at(port: u16) -> ConnectionInfo {
    ConnectionInfo {
        ip: "127.0.0.1".to_string(),
        transport: Transport::TCP,
        shell_port: 0,
        iopub_port: port,
        stdin_port: 0,
        control_port: 0,
        hb_port: 0,
        key: "a key".to_string(),
        signature_scheme: "hmac-sha256".to_string(),
        kernel_name: None,
    }
}

/// The content of the next message.
async fn next(subscriber: &mut ClientIoPubConnection) -> Value {
    let multipart = timeout(Duration::from_secs(30), subscriber.socket.recv()).await.expect("a message").unwrap();
    let raw = RawMessage::from_multipart(multipart, &subscriber.mac).unwrap();
    serde_json::from_slice(&raw.jparts[3]).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_does_not_read_keeps_nothing_from_the_others() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let info = iopub_at(port);
    let connection = create_kernel_iopub_xpub_connection(&info, "kernel").await.unwrap();
    let queue = Arc::new(Queue::default());
    let patience =
        Patience { frame: Duration::from_millis(100), stall: Duration::from_millis(500), back: Duration::from_secs(5) };
    let publisher = tokio::spawn(publish(connection, queue.clone(), patience));
    let _lazy = create_client_iopub_connection(&info, "", "lazy").await.unwrap();
    let mut reader = create_client_iopub_connection(&info, "", "reader").await.unwrap();
    assert_eq!(next(&mut reader).await, json!({"subscription": ""}));

    let text = "z".repeat(MESSAGE_BYTES);
    for number in 0..MESSAGES {
        queue.push(publication("stream", None, json!({"number": number, "text": text})));
    }
    // A message may come twice and greetings may come between, but none is missing and none overtakes another.
    let mut last = None;
    while last != Some(MESSAGES - 1) {
        let Some(number) = next(&mut reader).await["number"].as_u64() else { continue };
        let expected = last.map_or(0, |last| last + 1);
        assert!(number == expected || Some(number) == last, "{number} after {last:?}");
        last = Some(number);
    }
    queue.close();
    timeout(Duration::from_secs(30), publisher).await.expect("the publisher ends").unwrap();
}
