//! A front end whose methods are the protocol's words. Everything that it waits for has a deadline, and a test that
//! leaves a message unread fails.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jupyter_protocol::{ConnectionInfo, JupyterMessage, Transport};
use jupyter_zmq_client::{
    ClientControlConnection, ClientIoPubConnection, ClientShellConnection, RawMessage,
    create_client_control_connection, create_client_iopub_connection, create_client_shell_connection_with_identity,
    peer_identity_for_session,
};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use uuid::Uuid;
use zeromq::{SocketRecv, SocketSend, ZmqMessage};

use crate::fake_host::FakeHost;
use crate::host::Host;
use crate::jupyter::history::History;
use crate::jupyter::message::publication;
use crate::jupyter::{ServeError, Stop, serve};

const DEADLINE: Duration = Duration::from_secs(20);

/// A message as it came.
#[derive(Clone, Debug)]
pub struct Received {
    pub kind: String,
    pub parent: String,
    pub version: String,
    pub content: Value,
}

impl Received {
    fn decode(raw: &RawMessage) -> Self {
        let part = |i: usize| serde_json::from_slice::<Value>(&raw.jparts[i]).unwrap();
        let (header, parent) = (part(0), part(1));
        let text = |value: &Value, name: &str| value[name].as_str().unwrap_or_default().to_string();
        Received {
            kind: text(&header, "msg_type"),
            parent: text(&parent, "msg_id"),
            version: text(&header, "version"),
            content: part(3),
        }
    }

    /// The text that a pointer leads to.
    pub fn text(&self, pointer: &str) -> &str {
        self.content.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("no {pointer} in {self:?}"))
    }
}

/// A request to send.
pub fn request(kind: &str, content: Value) -> JupyterMessage {
    let mut message = publication(kind, None, content);
    message.zmq_identities.clear();
    message
}

/// A front end, and the kernel that it talks to.
pub struct FrontEnd {
    pub host: Arc<FakeHost>,
    pub info: ConnectionInfo,
    pub shell: ClientShellConnection,
    pub control: ClientControlConnection,
    iopub: ClientIoPubConnection,
    kernel: JoinHandle<Result<(), ServeError>>,
    stop: Stop,
}

impl FrontEnd {
    /// Starts a kernel that checks signatures, and connects to it.
    pub async fn start() -> Self {
        Self::with_key("a key").await
    }

    /// Starts a kernel with the given key, and connects to it.
    pub async fn with_key(key: &str) -> Self {
        let listeners: Vec<TcpListener> = (0..5).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
        let ports: Vec<u16> = listeners.iter().map(|listener| listener.local_addr().unwrap().port()).collect();
        drop(listeners);
        let info = ConnectionInfo {
            ip: "127.0.0.1".to_string(),
            transport: Transport::TCP,
            shell_port: ports[0],
            iopub_port: ports[1],
            stdin_port: ports[2],
            control_port: ports[3],
            hb_port: ports[4],
            key: key.to_string(),
            signature_scheme: "hmac-sha256".to_string(),
            kernel_name: None,
        };
        let (host, stop) = (Arc::new(FakeHost::default()), Stop::default());
        let kernel = {
            let (info, host, stop) = (info.clone(), host.clone() as Arc<dyn Host>, stop.clone());
            tokio::spawn(async move { serve(&info, host, History::default(), stop).await })
        };
        let session = Uuid::new_v4().to_string();
        let identity = peer_identity_for_session(&session).unwrap();
        let iopub = create_client_iopub_connection(&info, "", &session).await.unwrap();
        let shell = create_client_shell_connection_with_identity(&info, &session, identity).await.unwrap();
        let control = create_client_control_connection(&info, &session).await.unwrap();
        let mut front_end = FrontEnd { host, info, shell, control, iopub, kernel, stop };
        let welcome = front_end.published().await;
        assert_eq!((welcome.kind.as_str(), welcome.parent.as_str()), ("iopub_welcome", ""));
        assert_eq!(welcome.content, json!({"subscription": ""}));
        front_end
    }

    /// Sends a request on shell; gives its id.
    pub async fn ask(&mut self, kind: &str, content: Value) -> String {
        let message = request(kind, content);
        let id = message.header.msg_id.clone();
        self.shell.send(message).await.unwrap();
        id
    }

    /// Sends a request on control; gives its id.
    pub async fn command(&mut self, kind: &str, content: Value) -> String {
        let message = request(kind, content);
        let id = message.header.msg_id.clone();
        self.control.send(message).await.unwrap();
        id
    }

    /// Sends a cell.
    pub async fn execute(&mut self, code: &str) -> String {
        self.ask("execute_request", json!({"code": code})).await
    }

    /// Sends frames on shell as they are.
    pub async fn send_frames(&mut self, frames: &[&str]) {
        let frames: Vec<Bytes> = frames.iter().map(|frame| Bytes::copy_from_slice(frame.as_bytes())).collect();
        self.shell.socket.send(ZmqMessage::try_from(frames).unwrap()).await.unwrap();
    }

    /// The next reply on shell.
    pub async fn replied(&mut self) -> Received {
        let multipart = timeout(DEADLINE, self.shell.socket.recv()).await.expect("a reply on shell").unwrap();
        Received::decode(&RawMessage::from_multipart(multipart, &self.shell.mac).unwrap())
    }

    /// The next reply on control.
    pub async fn obeyed(&mut self) -> Received {
        let multipart = timeout(DEADLINE, self.control.socket.recv()).await.expect("a reply on control").unwrap();
        Received::decode(&RawMessage::from_multipart(multipart, &self.control.mac).unwrap())
    }

    /// The next publication, whatever it is.
    pub async fn published(&mut self) -> Received {
        let multipart = timeout(DEADLINE, self.iopub.socket.recv()).await.expect("a publication").unwrap();
        let received = Received::decode(&RawMessage::from_multipart(multipart, &self.iopub.mac).unwrap());
        assert_eq!(received.version, "5.4", "{received:?}");
        received
    }

    /// The next publication, which must be of this type and caused by this request.
    pub async fn expect(&mut self, kind: &str, parent: &str) -> Received {
        let received = self.published().await;
        assert_eq!((received.kind.as_str(), received.parent.as_str()), (kind, parent), "{received:?}");
        received
    }

    pub async fn busy(&mut self, parent: &str) {
        assert_eq!(self.expect("status", parent).await.text("/execution_state"), "busy");
    }

    pub async fn idle(&mut self, parent: &str) {
        assert_eq!(self.expect("status", parent).await.text("/execution_state"), "idle");
    }

    /// Busy and the input of a cell.
    pub async fn begun(&mut self, parent: &str, code: &str) {
        self.busy(parent).await;
        assert_eq!(self.expect("execute_input", parent).await.text("/code"), code);
    }

    /// The reply on shell, which must be to this request and have this status, between busy and idle already read.
    pub async fn reply_to(&mut self, parent: &str, status: &str) -> Value {
        let reply = self.replied().await;
        assert_eq!((reply.parent.as_str(), reply.text("/status")), (parent, status), "{reply:?}");
        reply.content
    }

    /// Asks something on shell that publishes nothing but busy and idle; gives the reply's content.
    pub async fn answer(&mut self, kind: &str, content: Value) -> Value {
        let id = self.ask(kind, content).await;
        self.busy(&id).await;
        self.idle(&id).await;
        let reply = self.replied().await;
        assert_eq!(reply.parent, id);
        assert_eq!(reply.kind, kind.replace("_request", "_reply"));
        reply.content
    }

    /// Runs a cell that publishes nothing of its own.
    pub async fn run_quiet(&mut self, code: &str) {
        let id = self.execute(code).await;
        self.begun(&id, code).await;
        self.idle(&id).await;
        self.reply_to(&id, "ok").await;
    }

    /// Ends the kernel and checks that it published nothing that the test has not read.
    pub async fn end(mut self) {
        self.stop.stop();
        timeout(DEADLINE, &mut self.kernel).await.expect("the kernel ends").unwrap().unwrap();
        assert!(self.host.state().is_down);
        // What was published has been written to the socket by now; the probe finds the connection closed or silent.
        if let Ok(Ok(multipart)) = timeout(Duration::from_millis(100), self.iopub.socket.recv()).await {
            let raw = RawMessage::from_multipart(multipart, &self.iopub.mac).unwrap();
            panic!("a message was left unread: {:?}", Received::decode(&raw));
        }
    }

    /// Waits for a kernel that has been told to end.
    pub async fn ended(self) {
        timeout(DEADLINE, self.kernel).await.expect("the kernel ends").unwrap().unwrap();
        assert!(self.host.state().is_down);
    }
}
