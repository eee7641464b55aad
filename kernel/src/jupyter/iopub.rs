//! The iopub socket: one task takes from the [`Queue`] and hands each message to every subscriber.
//!
//! Each subscriber has a connection and an outbox of its own (`subscriber`). As long as little waits for it, it holds up
//! nobody; when much waits and it still reads, the publisher waits for it, so that a flood of output slows down the cell
//! and loses nothing; when it has stopped reading, it is disconnected, and only it.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jupyter_protocol::{ConnectionInfo, Transport};
use serde_json::json;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};

use super::message::{Signer, publication};
use super::queue::{Outgoing, Queue};
use super::subscriber::{Publication, Subscribers};
use super::zmtp;

/// How long the publisher waits for a subscriber that takes nothing, and for one that has not come yet.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// While the kernel runs.
    pub stall: Duration,
    /// When it ends.
    pub end: Duration,
    /// How long after the start a subscriber gets what was published before it came. A front end opens all channels at once,
    /// but a subscription may arrive long after the first request, above all where the kernel was started again on the same
    /// ports: ZeroMQ tries again only after a while. What that request gave would be lost, and the front end would wait for
    /// its end for ever.
    pub early: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Patience { stall: Duration::from_secs(5), end: Duration::from_secs(1), early: Duration::from_secs(5) }
    }
}

/// How long the publisher waits before it tries again to let subscribers in.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The bound socket.
#[derive(Debug)]
pub enum Listener {
    /// On a port.
    Tcp(TcpListener),
    /// On a path.
    Ipc(UnixListener),
}

impl Listener {
    /// Binds the iopub address of a connection file.
    ///
    /// # Errors
    /// Where the address is taken or not this machine's.
    pub async fn bind(info: &ConnectionInfo) -> io::Result<Self> {
        match info.transport {
            Transport::TCP => {
                let address = if info.ip == "*" { "0.0.0.0" } else { &info.ip };
                Ok(Listener::Tcp(TcpListener::bind((address, info.iopub_port)).await?))
            }
            Transport::IPC => {
                let path = format!("{}-{}", info.ip, info.iopub_port);
                match std::fs::remove_file(&path) {
                    // What an earlier kernel left there keeps nobody from binding, as in ZeroMQ's own library.
                    Ok(()) => {}
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => return Err(error),
                }
                Ok(Listener::Ipc(UnixListener::bind(path)?))
            }
        }
    }
}

/// Publishes what the queue holds until it is closed and empty.
pub async fn publish(listener: Listener, signer: Signer, queue: Arc<Queue>, patience: Patience) {
    let subscribers = Arc::new(Subscribers::new(patience.early));
    let accepting = tokio::spawn(accept(listener, signer.clone(), subscribers.clone()));
    while let Some(outgoing) = queue.next().await {
        subscribers.make_room(patience.stall).await;
        let (display, message) = match outgoing {
            Outgoing::Message(message) => (None, message),
            Outgoing::Frame { display, message } => (Some(display), message),
        };
        let topic = message.zmq_identities.first().cloned().unwrap_or_default();
        let kind = message.header.msg_type.clone();
        match signer.frames(message) {
            Ok(frames) => subscribers.give(&Publication { topic, wire: zmtp::message(&frames), display }),
            Err(error) => tracing::error!(%error, kind, "a message cannot be written as JSON"),
        }
    }
    accepting.abort();
    subscribers.close(patience.end).await;
}

/// Lets subscribers in.
async fn accept(listener: Listener, signer: Signer, subscribers: Arc<Subscribers>) {
    loop {
        let accepted = match &listener {
            Listener::Tcp(listener) => listener.accept().await.map(|(stream, _)| {
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "small messages to a subscriber may be delayed");
                }
                tokio::spawn(attend(stream, signer.clone(), subscribers.clone()));
            }),
            Listener::Ipc(listener) => listener.accept().await.map(|(stream, _)| {
                tokio::spawn(attend(stream, signer.clone(), subscribers.clone()));
            }),
        };
        if let Err(error) = accepted {
            tracing::warn!(%error, "cannot let a subscriber in");
            // Out of file descriptors, most likely: some will be free a little later.
            tokio::time::sleep(ACCEPT_PAUSE).await;
        }
    }
}

/// Serves one subscriber to its end.
async fn attend(stream: impl AsyncRead + AsyncWrite + Unpin, signer: Signer, subscribers: Arc<Subscribers>) {
    let subscriber = subscribers.enter();
    let welcome = |topic: &[u8]| welcome(topic, &signer);
    if let Err(error) = subscriber.attend(stream, welcome, &subscribers).await {
        tracing::debug!(%error, "a subscriber went away");
    }
    subscribers.leave(&subscriber);
}

/// The first message that a subscriber sees (JEP 65), under its own topic, since it may have asked for no other.
fn welcome(topic: &[u8], signer: &Signer) -> Option<Bytes> {
    let mut welcome = publication("iopub_welcome", None, json!({"subscription": String::from_utf8_lossy(topic)}));
    welcome.zmq_identities = vec![Bytes::copy_from_slice(topic)];
    match signer.frames(welcome) {
        Ok(frames) => Some(zmtp::message(&frames)),
        Err(error) => {
            tracing::error!(%error, "a welcome cannot be written as JSON");
            None
        }
    }
}
