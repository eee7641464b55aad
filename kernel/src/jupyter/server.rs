//! The sockets and threads of a running kernel.
//!
//! Sockets are served by tasks that never wait for the host. Three threads take what the tasks read: one runs cells, one
//! answers everything else on shell, one answers control, so that an interrupt never waits behind a completion.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use crossbeam_channel::{Receiver, Sender};
use jupyter_protocol::{ConnectionInfo, JupyterMessage};
use jupyter_zmq_client::{
    KernelHeartbeatConnection, RawMessage, RouterRecvConnection, RouterSendConnection, RuntimeError,
    create_kernel_control_connection, create_kernel_heartbeat_connection, create_kernel_shell_connection,
    create_kernel_stdin_connection,
};
use parking_lot::Mutex;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use uuid::Uuid;
use zeromq::{SocketRecv, SocketSend, ZmqMessage};

use super::execute::{Asked, run_cells};
use super::history::History;
use super::iopub::{Listener, Patience, publish};
use super::kernel::Kernel;
use super::message::{DecodeError, Request, Signer};
use super::queue::Queue;
use super::replay::Signatures;
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
/// There is no status `starting`: nobody could have subscribed to it.
///
/// # Errors
/// Where a socket cannot be bound or a thread cannot be started.
pub async fn serve(info: &ConnectionInfo, host: Arc<dyn Host>, history: History, stop: Stop) -> Result<(), ServeError> {
    let session = Uuid::new_v4().to_string();
    let bind = |channel| move |source| ServeError::Bind { channel, source };
    let heartbeat = create_kernel_heartbeat_connection(info).await.map_err(bind("heartbeat"))?;
    let iopub = Listener::bind(info).await.map_err(RuntimeError::from).map_err(bind("iopub"))?;
    let stdin = create_kernel_stdin_connection(info, &session).await.map_err(bind("stdin"))?;
    let control = create_kernel_control_connection(info, &session).await.map_err(bind("control"))?;
    let shell = create_kernel_shell_connection(info, &session).await.map_err(bind("shell"))?;

    let queue = Arc::new(Queue::default());
    let kernel = Arc::new(Kernel::new(host.clone(), queue.clone(), history, stop.clone()));
    let mut tasks = tokio::task::JoinSet::new();
    let publisher = tokio::spawn(publish(iopub, Signer::new(&info.key, &session), queue.clone(), Patience::default()));
    let seen = Arc::new(Mutex::new(Signatures::default()));
    tasks.spawn(beat(heartbeat));

    let (cell_sender, cells) = crossbeam_channel::unbounded();
    let (shell_sender, shell_requests) = crossbeam_channel::unbounded();
    let (control_sender, control_requests) = crossbeam_channel::unbounded();

    let (shell_replies, replies) = mpsc::unbounded_channel();
    let (sender, receiver) = shell.split();
    tasks.spawn(send(sender, replies));
    let sorter = Sorter { cells: cell_sender.clone(), others: shell_sender, replies: shell_replies.clone() };
    tasks.spawn(receive(receiver, "shell", seen.clone(), move |request| sorter.take(request)));
    let (control_replies, replies) = mpsc::unbounded_channel();
    let (sender, receiver) = control.split();
    tasks.spawn(send(sender, replies));
    let sorter = Sorter { cells: cell_sender, others: control_sender, replies: control_replies.clone() };
    tasks.spawn(receive(receiver, "control", seen.clone(), move |request| sorter.take(request)));
    // The kernel asks nobody for input; the socket is read so that nothing piles up in it.
    let (_stdin_sending, receiver) = stdin.split();
    tasks.spawn(receive(receiver, "stdin", seen, move |request| {
        tracing::debug!(kind = request.kind(), "ignored a message on stdin");
        true
    }));

    start("cells", &kernel, move |kernel| run_cells(kernel, &cells))?;
    start("shell", &kernel, move |kernel| answer(kernel, &shell_requests, &shell_replies))?;
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

/// Hands what comes on a channel to the thread that runs cells or to the one that answers the channel's other requests.
struct Sorter {
    cells: Sender<Asked>,
    others: Sender<Request>,
    replies: mpsc::UnboundedSender<JupyterMessage>,
}

impl Sorter {
    /// False once nobody takes requests any more.
    fn take(&self, request: Request) -> bool {
        if request.kind() == "execute_request" {
            self.cells.send(Asked { request, replies: self.replies.clone() }).is_ok()
        } else {
            self.others.send(request).is_ok()
        }
    }
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

/// Reads requests off a socket. What is not one, is not signed with the kernel's key, or has been seen before, is counted,
/// logged and dropped.
async fn receive(
    mut socket: RouterRecvConnection,
    channel: &'static str,
    seen: Arc<Mutex<Signatures>>,
    take: impl Fn(Request) -> bool,
) {
    let mut dropped: u64 = 0;
    loop {
        let multipart = match socket.socket.recv().await {
            Ok(multipart) => multipart,
            Err(error) => {
                tracing::warn!(%error, channel, "cannot read from a socket");
                tokio::task::yield_now().await;
                continue;
            }
        };
        let signature = signature(&multipart);
        let checked = RawMessage::from_multipart(multipart, &socket.mac).map_err(DecodeError::from);
        // Only a signature that is right is remembered, so that strangers cannot fill the memory.
        let fresh = checked.and_then(|raw| match signature {
            Some(signature) if !seen.lock().is_new(&signature) => Err(DecodeError::Replayed),
            _ => Request::decode(raw),
        });
        match fresh {
            Ok(request) => {
                if !take(request) {
                    return;
                }
            }
            Err(error) => {
                dropped += 1;
                // Whoever sends without end does not fill the log.
                if dropped <= 16 || dropped.is_power_of_two() {
                    tracing::warn!(channel, dropped, "dropped a message: {error}");
                }
            }
        }
    }
}

/// The frame behind the delimiter; `None` where nothing is signed.
fn signature(multipart: &ZmqMessage) -> Option<Bytes> {
    let mut frames = multipart.iter().skip_while(|frame| &frame[..] != b"<IDS|MSG>");
    frames.nth(1).filter(|signature| !signature.is_empty()).cloned()
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
