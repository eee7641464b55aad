//! The frames of a message that arrives on a socket of the kernel.

use bytes::Bytes;
use jupyter_zmq_client::RawMessage;
use ring::hmac;
use serde_json::json;
use zeromq::ZmqMessage;

use super::{Request, Signer};

/// Any frames are a request or an error; a request can be answered. Frames end with a zero byte.
pub fn run(data: &[u8]) {
    let frames: Vec<Bytes> = data.split(|byte| *byte == 0).map(Bytes::copy_from_slice).collect();
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"key");
    for key in [None, Some(key)] {
        let Ok(message) = ZmqMessage::try_from(frames.clone()) else { return };
        let Ok(raw) = RawMessage::from_multipart(message, &key) else { continue };
        let Ok(request) = Request::decode(raw) else { continue };
        let _ = (request.text("code"), request.flag("silent", false), request.number("cursor_pos"));
        let reply = request.reply(json!({"status": "ok"}));
        let signed = Signer::new("key", "session").frames(reply);
        assert!(signed.is_ok_and(|frames| frames.len() >= 6), "a reply can be written");
    }
}
