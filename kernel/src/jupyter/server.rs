//! The sockets and threads of a running kernel.
//!
//! Sockets are served by tasks that never wait for the host. Three threads take what the tasks read: one runs cells, one
//! answers everything else on shell, one answers control, so that an interrupt never waits behind a completion.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crossbeam_channel::Receiver;
use jupyter_protocol::{ConnectionInfo, JupyterMessage};
use jupyter_zmq_client::{
    KernelHeartbeatConnection, RawMessage, RouterRecvConnection, RouterSendConnection, RuntimeError,
    create_kernel_control_connection, create_kernel_heartbeat_connection, create_kernel_iopub_xpub_connection,
    create_kernel_shell_connection, create_kernel_stdin_connection,
};
use serde_json::json;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use uuid::Uuid;
use zeromq::{SocketRecv, SocketSend};

use super::execute::run_cells;
use super::iopub::{Patience, publish};
use super::kernel::Kernel;
use super::message::{DecodeError, Request, publication};
use super::queue::Queue;
use crate::host::Host;

/// How long the end of the kernel waits for the host, and for what is still to be published.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(5);

/// How long replies get to leave the socket's own buffers, which cannot be watched.
const LINGER: Duration = Duration::from_millis(100);

/// Why the kernel cannot serve.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// A port is taken, or the address is not this machine's.
    #[error("cannot bind the {channel} socket: {source}")]
    Bind {
        /// Which socket.
        channel: &'static str,
        /// The cause.
        #[source]
        source: RuntimeError,
    },
    /// The system gives no thread.
    #[error("cannot start a thread: {0}")]
    Thread(#[from] std::io::Error),
}

/// Ends a kernel from anywhere. Clones share one state.
#[derive(Clone, Debug)]
pub struct Stop(watch::Sender<bool>);

impl Default for Stop {
    fn default() -> Self {
        Stop(watch::Sender::new(false))
    }
}

impl Stop {
    /// Asks the kernel to end.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }

    /// Waits until the kernel has been asked to end.
    pub async fn stopped(&self) {
        // The sender lives as long as `self`, so the wait cannot fail.
        let _ = self.0.subscribe().wait_for(|stopped| *stopped).await;
    }
}

/// Serves `host` on the sockets of a connection file until a shutdown request or [`Stop::stop`], then shuts the host
/// down.
///
/// # Errors
/// Where a socket cannot be bound or a thread cannot be started.
pub async fn serve(info: &ConnectionInfo, host: Arc<dyn Host>, stop: Stop) -> Result<(), ServeError> {
    let session = Uuid::new_v4().to_string();
    let bind = |channel| move |source| ServeError::Bind { channel, source };
    let heartbeat = create_kernel_heartbeat_connection(info).await.map_err(bind("heartbeat"))?;
    let mut iopub = create_kernel_iopub_xpub_connection(info, &session).await.map_err(bind("iopub"))?;
    let stdin = create_kernel_stdin_connection(info, &session).await.map_err(bind("stdin"))?;
    let control = create_kernel_control_connection(info, &session).await.map_err(bind("control"))?;
    let shell = create_kernel_shell_connection(info, &session).await.map_err(bind("shell"))?;

    // Sent at once, so that it never comes after the welcome of a subscriber.
    if let Err(error) = iopub.send(publication("status", None, json!({"execution_state": "starting"}))).await {
        tracing::warn!(%error, "cannot publish that the kernel starts");
    }
    let queue = Arc::new(Queue::default());
    let kernel = Arc::new(Kernel::new(host.clone(), queue.clone(), stop.clone()));
    let mut tasks = tokio::task::JoinSet::new();
    let publisher = tokio::spawn(publish(iopub, queue.clone(), Patience::default()));
    tasks.spawn(beat(heartbeat));

    let (cell_sender, cells) = crossbeam_channel::unbounded();
    let (shell_sender, shell_requests) = crossbeam_channel::unbounded();
    let (control_sender, control_requests) = crossbeam_channel::unbounded();

    let (shell_replies, replies) = mpsc::unbounded_channel();
    let (sender, receiver) = shell.split();
    tasks.spawn(send(sender, replies));
    tasks.spawn(receive(receiver, "shell", move |request| {
        if request.kind() == "execute_request" { &cell_sender } else { &shell_sender }.send(request).is_ok()
    }));
    let (control_replies, replies) = mpsc::unbounded_channel();
    let (sender, receiver) = control.split();
    tasks.spawn(send(sender, replies));
    tasks.spawn(receive(receiver, "control", move |request| control_sender.send(request).is_ok()));
    // The kernel asks nobody for input; the socket is read so that nothing piles up in it.
    let (_stdin_sending, receiver) = stdin.split();
    tasks.spawn(receive(receiver, "stdin", move |request| {
        tracing::debug!(kind = request.kind(), "ignored a message on stdin");
        true
    }));

    let to_shell = shell_replies.clone();
    start("cells", &kernel, move |kernel| run_cells(kernel, &cells, &shell_replies))?;
    start("shell", &kernel, move |kernel| answer(kernel, &shell_requests, &to_shell))?;
    start("control", &kernel, move |kernel| answer(kernel, &control_requests, &control_replies))?;

    stop.stopped().await;
    host.interrupt();
    let host_down = tokio::task::spawn_blocking(move || host.shutdown());
    if timeout(SHUTDOWN_TIMEOUT, host_down).await.is_err() {
        tracing::warn!("the session does not end in time; leaving it");
    }
    queue.close();
    if timeout(SHUTDOWN_TIMEOUT, publisher).await.is_err() {
        tracing::warn!("what is left to publish does not leave in time");
    }
    tokio::time::sleep(LINGER).await;
    tasks.shutdown().await;
    Ok(())
}

fn start(name: &str, kernel: &Arc<Kernel>, run: impl FnOnce(&Kernel) + Send + 'static) -> Result<(), ServeError> {
    let kernel = kernel.clone();
    thread::Builder::new().name(name.to_string()).spawn(move || run(&kernel))?;
    Ok(())
}

/// Answers requests in the order in which they come.
fn answer(kernel: &Kernel, requests: &Receiver<Request>, replies: &mpsc::UnboundedSender<JupyterMessage>) {
    for request in requests {
        kernel.handle(&request, replies);
    }
}

/// Reads requests off a socket; what is not one is logged and dropped.
async fn receive(mut socket: RouterRecvConnection, channel: &'static str, take: impl Fn(Request) -> bool) {
    loop {
        let multipart = match socket.socket.recv().await {
            Ok(multipart) => multipart,
            Err(error) => {
                tracing::warn!(%error, channel, "cannot read from a socket");
                tokio::task::yield_now().await;
                continue;
            }
        };
        let request = RawMessage::from_multipart(multipart, &socket.mac).map_err(DecodeError::from);
        match request.and_then(Request::decode) {
            Ok(request) => {
                if !take(request) {
                    return;
                }
            }
            Err(error) => tracing::warn!(%error, channel, "dropped a message"),
        }
    }
}

/// Sends replies.
async fn send(mut socket: RouterSendConnection, mut replies: mpsc::UnboundedReceiver<JupyterMessage>) {
    while let Some(reply) = replies.recv().await {
        let kind = reply.header.msg_type.clone();
        if let Err(error) = socket.send(reply).await {
            tracing::debug!(%error, kind, "a reply does not reach its client");
        }
    }
}

/// Sends back what comes, so that clients know that the kernel lives.
async fn beat(mut heartbeat: KernelHeartbeatConnection) {
    loop {
        let echoed = match heartbeat.socket.recv().await {
            Ok(message) => heartbeat.socket.send(message).await,
            Err(error) => Err(error),
        };
        if let Err(error) = echoed {
            tracing::debug!(%error, "a heartbeat was lost");
            tokio::task::yield_now().await;
        }
    }
}
