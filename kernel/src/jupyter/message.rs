//! Messages of the protocol.
//!
//! Requests are decoded leniently: only a message type and an id are required, since clients leave out whatever they do
//! not use, and a request that is not understood leaves its sender waiting for ever.

use std::time::Instant;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use jupyter_protocol::{Header, JupyterMessage, UnknownMessage};
use jupyter_zmq_client::{RawMessage, RuntimeError};
use ring::hmac;
use serde_json::{Value, json};
use uuid::Uuid;

/// The version of the protocol that the kernel speaks.
pub const PROTOCOL_VERSION: &str = "5.4";

/// Who the kernel's messages are from.
const USERNAME: &str = "tidebook";

/// Why bytes on a socket are not a request.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// The frames are not those of a message.
    #[error("not a message: {0}")]
    Frames(#[source] RuntimeError),
    /// Somebody without the kernel's key has sent it.
    #[error("the signature is wrong")]
    Signature,
    /// A part is not JSON.
    #[error("the {part} is not JSON: {source}")]
    Json {
        /// Which part.
        part: &'static str,
        /// The cause.
        #[source]
        source: serde_json::Error,
    },
    /// Its signature has come before: somebody repeats what was once sent.
    #[error("the signature has been used before")]
    Replayed,
    /// The header lacks what no reply can do without.
    #[error("the header has no `{0}`")]
    Header(&'static str),
}

impl From<RuntimeError> for DecodeError {
    fn from(error: RuntimeError) -> Self {
        match error {
            // A signature that is not even hexadecimal, and one that is not this key's.
            RuntimeError::DecodeError(_) | RuntimeError::VerifyError(_) => DecodeError::Signature,
            error => DecodeError::Frames(error),
        }
    }
}

/// A message from a front end.
#[derive(Clone, Debug)]
pub struct Request {
    /// The way back to the sender.
    pub identities: Vec<Bytes>,
    /// The header, echoed as the parent of everything that answers it.
    pub header: Header,
    /// Metadata: an object, perhaps empty.
    pub metadata: Value,
    /// Content: an object, perhaps empty.
    pub content: Value,
    /// When it arrived.
    pub received: Instant,
}

impl Request {
    /// Reads a request off the frames of a message whose signature has been checked.
    ///
    /// # Errors
    /// Where a part is not JSON, or the header names neither type nor id.
    pub fn decode(raw: RawMessage) -> Result<Self, DecodeError> {
        let header = json_part(&raw, 0, "header")?;
        let field = |name: &str| header.get(name).and_then(Value::as_str).map(str::to_string);
        let date = field("date").and_then(|text| DateTime::parse_from_rfc3339(&text).ok());
        let header = Header {
            msg_id: field("msg_id").ok_or(DecodeError::Header("msg_id"))?,
            msg_type: field("msg_type").ok_or(DecodeError::Header("msg_type"))?,
            username: field("username").unwrap_or_default(),
            session: field("session").unwrap_or_default(),
            version: field("version").unwrap_or_else(|| PROTOCOL_VERSION.to_string()),
            date: date.map_or_else(Utc::now, |date| date.with_timezone(&Utc)),
        };
        let metadata = json_part(&raw, 2, "metadata")?;
        let content = json_part(&raw, 3, "content")?;
        Ok(Request { identities: raw.zmq_identities, header, metadata, content, received: Instant::now() })
    }

    /// The message type.
    pub fn kind(&self) -> &str {
        &self.header.msg_type
    }

    /// The text `name` of the content, or empty text.
    pub fn text(&self, name: &str) -> &str {
        self.content.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// The flag `name` of the content.
    pub fn flag(&self, name: &str, default: bool) -> bool {
        self.content.get(name).and_then(Value::as_bool).unwrap_or(default)
    }

    /// The whole number `name` of the content.
    pub fn number(&self, name: &str) -> Option<i64> {
        self.content.get(name).and_then(Value::as_i64)
    }

    /// The reply: `x_request` is answered by `x_reply`.
    pub fn reply(&self, content: Value) -> JupyterMessage {
        let subject = self.kind().strip_suffix("_request").unwrap_or(self.kind());
        message(&format!("{subject}_reply"), self.identities.clone(), Some(&self.header), content)
    }
}

/// A message for everyone who listens, caused by the request with the header `parent`. Its topic is its type; without
/// one, the sender's address would become the topic.
pub fn publication(kind: &str, parent: Option<&Header>, content: Value) -> JupyterMessage {
    message(kind, vec![Bytes::copy_from_slice(kind.as_bytes())], parent, content)
}

fn message(kind: &str, identities: Vec<Bytes>, parent: Option<&Header>, content: Value) -> JupyterMessage {
    JupyterMessage {
        zmq_identities: identities,
        header: Header {
            msg_id: Uuid::new_v4().to_string(),
            username: USERNAME.to_string(),
            // The connection fills in its own when it sends.
            session: String::new(),
            date: Utc::now(),
            msg_type: kind.to_string(),
            version: PROTOCOL_VERSION.to_string(),
        },
        parent_header: parent.cloned(),
        metadata: json!({}),
        // Contents are written as the protocol says, not through typed structures: those spell absent values as null,
        // which clients refuse, and lack fields of 5.4.
        content: UnknownMessage { msg_type: kind.to_string(), content }.into(),
        buffers: Vec::new(),
        channel: None,
    }
}

/// Makes the frames of what leaves the kernel by iopub.
#[derive(Clone, Debug)]
pub struct Signer {
    key: Option<hmac::Key>,
    session: String,
}

impl Signer {
    /// Signs with `key`; an empty key signs nothing. `session` stands in every header.
    pub fn new(key: &str, session: &str) -> Self {
        let key = (!key.is_empty()).then(|| hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes()));
        Signer { key, session: session.to_string() }
    }

    /// The frames of a message: topic or address, delimiter, signature, header, parent, metadata, content.
    ///
    /// # Errors
    /// Where a part cannot be written as JSON.
    pub fn frames(&self, message: JupyterMessage) -> Result<Vec<Bytes>, serde_json::Error> {
        let message = message.with_session(&self.session);
        let parent = match &message.parent_header {
            Some(parent) => serde_json::to_vec(parent)?,
            None => b"{}".to_vec(),
        };
        let header = serde_json::to_vec(&message.header)?;
        let (metadata, content) = (serde_json::to_vec(&message.metadata)?, serde_json::to_vec(&message.content)?);
        let parts = [header, parent, metadata, content];
        let signature = self.key.as_ref().map_or_else(String::new, |key| {
            let mut context = hmac::Context::with_key(key);
            parts.iter().for_each(|part| context.update(part));
            context.sign().as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
        });
        let mut frames = message.zmq_identities;
        frames.extend([Bytes::from_static(b"<IDS|MSG>"), Bytes::from(signature)]);
        frames.extend(parts.map(Bytes::from));
        frames.extend(message.buffers);
        Ok(frames)
    }
}

fn json_part(raw: &RawMessage, index: usize, part: &'static str) -> Result<Value, DecodeError> {
    let Some(bytes) = raw.jparts.get(index) else { return Ok(json!({})) };
    serde_json::from_slice(bytes).map_err(|source| DecodeError::Json { part, source })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(header: &str, content: &str) -> RawMessage {
        let part = |text: &str| Bytes::copy_from_slice(text.as_bytes());
        RawMessage {
            zmq_identities: vec![part("who")],
            jparts: vec![part(header), part("{}"), part("{}"), part(content)],
        }
    }

    #[test]
    fn a_request_without_optional_fields_is_understood() {
        let request =
            Request::decode(raw(r#"{"msg_id": "a", "msg_type": "execute_request"}"#, r#"{"code": "x"}"#)).unwrap();
        assert_eq!((request.text("code"), request.flag("silent", false), request.number("n")), ("x", false, None));
        assert_eq!(request.header.version, PROTOCOL_VERSION);
    }

    #[test]
    fn a_reply_goes_back_to_the_sender_with_its_header_as_parent() {
        let request = Request::decode(raw(r#"{"msg_id": "a", "msg_type": "history_request"}"#, "{}")).unwrap();
        let reply = request.reply(json!({"status": "ok"}));
        assert_eq!(reply.header.msg_type, "history_reply");
        assert_eq!(reply.header.version, PROTOCOL_VERSION);
        assert_eq!(reply.zmq_identities, vec![Bytes::from_static(b"who")]);
        assert_eq!(reply.parent_header.map(|header| header.msg_id), Some("a".to_string()));
    }

    #[test]
    fn what_is_not_a_request_is_an_error() {
        assert!(matches!(Request::decode(raw("{", "{}")), Err(DecodeError::Json { part: "header", .. })));
        assert!(matches!(Request::decode(raw("{}", "{}")), Err(DecodeError::Header("msg_id"))));
        let header = r#"{"msg_id": "a", "msg_type": "b"}"#;
        assert!(matches!(Request::decode(raw(header, "[1,")), Err(DecodeError::Json { part: "content", .. })));
    }
}
