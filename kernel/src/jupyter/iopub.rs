//! The one task that publishes.
//!
//! It owns the socket: it takes from the [`Queue`], greets subscribers, and gets rid of a subscriber that has stopped
//! reading, since that one would hold up all others.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jupyter_protocol::JupyterMessage;
use jupyter_zmq_client::{KernelIoPubXPubConnection, SubscriptionEvent};
use serde_json::json;
use tokio::time::{Instant, timeout, timeout_at};
use zeromq::util::PeerIdentity;
use zeromq::{Socket, SocketEvent};

use super::message::publication;
use super::queue::{Outgoing, Queue};

/// How long the publisher waits for subscribers.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// How long a frame may take; there will be a later one.
    pub frame: Duration,
    /// How long nothing may go out before the subscribers are disconnected. Those that live connect again at once.
    pub stall: Duration,
    /// How long to wait for them to come back.
    pub back: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Patience { frame: Duration::from_millis(500), stall: Duration::from_secs(10), back: Duration::from_secs(1) }
    }
}

/// Publishes what the queue holds until it is closed and empty.
pub async fn publish(mut connection: KernelIoPubXPubConnection, queue: Arc<Queue>, patience: Patience) {
    let mut events = connection.socket.monitor();
    let mut subscribers: Vec<PeerIdentity> = Vec::new();
    // When frames began to fail, if none has gone out since.
    let mut stalled: Option<Instant> = None;
    loop {
        let outgoing = tokio::select! {
            // A subscription counts only once it has been received here: this must be asked for all the time.
            event = connection.recv_subscription() => {
                while let Ok(event) = events.try_recv() {
                    if let SocketEvent::Accepted(_, subscriber) = event {
                        subscribers.push(subscriber);
                    }
                }
                greet(&mut connection, event, patience).await;
                continue;
            }
            outgoing = queue.next() => outgoing,
        };
        match outgoing {
            None => return,
            Some(Outgoing::Frame { display, message }) => {
                if send(&mut connection, message.clone(), patience.frame).await {
                    stalled = None;
                    continue;
                }
                queue.restore(display, message);
                if stalled.get_or_insert_with(Instant::now).elapsed() > patience.stall {
                    disconnect(&mut connection, &mut subscribers, patience).await;
                    stalled = None;
                }
            }
            Some(Outgoing::Message(message)) => {
                if !send(&mut connection, message.clone(), patience.stall).await {
                    disconnect(&mut connection, &mut subscribers, patience).await;
                    send(&mut connection, message, patience.stall).await;
                }
                stalled = None;
            }
        }
    }
}

/// Sends a message; false if a subscriber does not take it in time.
async fn send(connection: &mut KernelIoPubXPubConnection, message: JupyterMessage, limit: Duration) -> bool {
    let kind = message.header.msg_type.clone();
    match timeout(limit, connection.send(message)).await {
        Ok(Ok(())) => true,
        Ok(Err(error)) => {
            tracing::warn!(%error, kind, "cannot publish a message");
            true
        }
        Err(_) => {
            tracing::warn!(kind, "a subscriber does not read");
            false
        }
    }
}

/// Welcomes a new subscriber, as the first message that it sees (JEP 65).
async fn greet(
    connection: &mut KernelIoPubXPubConnection,
    event: jupyter_zmq_client::Result<SubscriptionEvent>,
    patience: Patience,
) {
    match event {
        Ok(SubscriptionEvent::Subscribe(topic)) => {
            let mut welcome = publication("iopub_welcome", None, json!({"subscription": topic}));
            // Under its own topic, since the subscriber may have asked for no other.
            welcome.zmq_identities = vec![Bytes::from(topic.into_bytes())];
            send(connection, welcome, patience.frame).await;
        }
        Ok(SubscriptionEvent::Unsubscribe(_)) => {}
        Err(error) => tracing::debug!(%error, "a subscriber went away or sent nonsense"),
    }
}

/// Disconnects all subscribers: which of them hangs cannot be seen. Waits a moment until they are back, so that those
/// that live miss nothing.
async fn disconnect(
    connection: &mut KernelIoPubXPubConnection,
    subscribers: &mut Vec<PeerIdentity>,
    patience: Patience,
) {
    tracing::warn!(subscribers = subscribers.len(), "disconnecting all subscribers, since one does not read");
    let backend = connection.socket.backend();
    let mut away = subscribers.len();
    for subscriber in subscribers.drain(..) {
        backend.peer_disconnected(&subscriber);
    }
    let until = Instant::now() + patience.back;
    while away > 0 {
        let Ok(event) = timeout_at(until, connection.recv_subscription()).await else { return };
        away -= usize::from(matches!(event, Ok(SubscriptionEvent::Subscribe(_))));
        greet(connection, event, patience).await;
    }
}
