//! Subscribers that do not read, read slowly, come late, or go away in the middle.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use jupyter_protocol::{ConnectionInfo, Transport};
use jupyter_zmq_client::{ClientIoPubConnection, RawMessage, create_client_iopub_connection};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use zeromq::SocketRecv;

use crate::jupyter::iopub::{Listener, Patience, publish};
use crate::jupyter::message::{Signer, publication};
use crate::jupyter::queue::Queue;

/// Together more than what sockets hold and may wait for a subscriber.
const MESSAGES: u64 = 500;
const MESSAGE_BYTES: usize = 256 << 10;

const DEADLINE: Duration = Duration::from_secs(60);

/// A publisher alone.
struct Publisher {
    info: ConnectionInfo,
    queue: Arc<Queue>,
    task: JoinHandle<()>,
}

impl Publisher {
    async fn start() -> Self {
        Self::with_early(Duration::ZERO).await
    }

    /// One whose late subscribers get what they have missed for that long.
    async fn with_early(early: Duration) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let info = ConnectionInfo {
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
        };
        let queue = Arc::new(Queue::default());
        let patience = Patience { stall: Duration::from_millis(500), end: Duration::from_millis(500), early };
        let listener = Listener::bind(&info).await.unwrap();
        let task = tokio::spawn(publish(listener, Signer::new(&info.key, "kernel"), queue.clone(), patience));
        Publisher { info, queue, task }
    }

    /// A subscriber that has been greeted.
    async fn subscribe(&self, topic: &str) -> ClientIoPubConnection {
        let mut subscriber = create_client_iopub_connection(&self.info, topic, "reader").await.unwrap();
        assert_eq!(next(&mut subscriber).await, json!({"subscription": topic}));
        subscriber
    }

    fn push(&self, numbers: std::ops::Range<u64>) {
        let text = "z".repeat(MESSAGE_BYTES);
        for number in numbers {
            self.queue.push(publication("stream", None, json!({"number": number, "text": text})));
        }
    }

    async fn end(self) {
        self.queue.close();
        timeout(DEADLINE, self.task).await.expect("the publisher ends").unwrap();
    }
}

/// The content of the next message.
async fn next(subscriber: &mut ClientIoPubConnection) -> Value {
    let multipart = timeout(DEADLINE, subscriber.socket.recv()).await.expect("a message").unwrap();
    let raw = RawMessage::from_multipart(multipart, &subscriber.mac).unwrap();
    serde_json::from_slice(&raw.jparts[3]).unwrap()
}

/// Reads these numbers: each once, none missing, none before another.
async fn read(subscriber: &mut ClientIoPubConnection, numbers: std::ops::Range<u64>) {
    for number in numbers {
        assert_eq!(next(subscriber).await["number"], number);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_does_not_read_keeps_nothing_from_the_others() {
    let publisher = Publisher::start().await;
    let _lazy = publisher.subscribe("").await;
    let mut reader = publisher.subscribe("").await;
    publisher.push(0..MESSAGES);
    read(&mut reader, 0..MESSAGES).await;
    publisher.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_goes_away_in_the_middle_is_forgotten() {
    let publisher = Publisher::start().await;
    let (mut reader, mut leaver) = (publisher.subscribe("").await, publisher.subscribe("").await);
    publisher.push(0..20);
    read(&mut leaver, 0..2).await;
    drop(leaver);
    publisher.push(20..60);
    read(&mut reader, 0..60).await;
    publisher.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_reads_slowly_gets_everything() {
    let publisher = Publisher::start().await;
    let (mut first, mut second) = (publisher.subscribe("").await, publisher.subscribe("").await);
    publisher.push(0..MESSAGES);
    // The one is always behind the other by more than may wait.
    for start in (0..MESSAGES).step_by(100) {
        read(&mut first, start..start + 100).await;
        read(&mut second, start..start + 100).await;
    }
    publisher.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn topics_choose_what_comes() {
    let publisher = Publisher::start().await;
    let mut statuses = publisher.subscribe("status").await;
    let mut all = publisher.subscribe("").await;
    publisher.push(0..1);
    publisher.queue.push(publication("status", None, json!({"execution_state": "idle"})));
    assert_eq!(next(&mut statuses).await, json!({"execution_state": "idle"}));
    read(&mut all, 0..1).await;
    assert_eq!(next(&mut all).await, json!({"execution_state": "idle"}));
    publisher.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_on_the_port_are_shown_the_door() {
    let publisher = Publisher::start().await;
    let mut browser = TcpStream::connect(("127.0.0.1", publisher.info.iopub_port)).await.unwrap();
    browser.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    timeout(DEADLINE, browser.read_to_end(&mut answer)).await.expect("the connection ends").unwrap_or_default();
    assert!(answer.len() <= 64, "it was greeted and no more");
    let mut reader = publisher.subscribe("").await;
    publisher.push(0..1);
    read(&mut reader, 0..1).await;
    publisher.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_late_after_the_start_has_missed_nothing() {
    let publisher = Publisher::with_early(DEADLINE).await;
    let mut first = publisher.subscribe("").await;
    publisher.push(0..3);
    publisher.queue.push(publication("status", None, json!({"execution_state": "busy"})));
    read(&mut first, 0..3).await;
    next(&mut first).await;
    let (mut all, mut statuses) = (publisher.subscribe("").await, publisher.subscribe("status").await);
    publisher.push(3..4);
    assert_eq!(next(&mut statuses).await, json!({"execution_state": "busy"}));
    read(&mut all, 0..3).await;
    assert_eq!(next(&mut all).await, json!({"execution_state": "busy"}));
    read(&mut all, 3..4).await;
    read(&mut first, 3..4).await;
    publisher.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_later_than_that_gets_what_comes_from_then_on() {
    let publisher = Publisher::start().await;
    let mut first = publisher.subscribe("").await;
    publisher.push(0..3);
    read(&mut first, 0..3).await;
    let mut second = publisher.subscribe("").await;
    publisher.push(3..4);
    read(&mut second, 3..4).await;
    publisher.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_for_those_who_come_late_has_a_bound() {
    let publisher = Publisher::with_early(DEADLINE).await;
    let mut first = publisher.subscribe("").await;
    publisher.push(0..40);
    read(&mut first, 0..40).await;
    let mut second = publisher.subscribe("").await;
    publisher.push(40..41);
    read(&mut second, 40..41).await;
    publisher.end().await;
}
