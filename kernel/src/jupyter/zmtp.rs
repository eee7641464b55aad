//! The part of ZeroMQ's wire protocol that a publisher needs: ZMTP 3.0 (<https://rfc.zeromq.org/spec/23/>) with the NULL
//! mechanism.
//!
//! The library's publishers either wait for their slowest subscriber or drop what must not be lost, and neither says
//! which subscriber got what. iopub needs both answers for each subscriber alone, so it speaks the protocol itself.

use bytes::{BufMut, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Flags of a frame.
const MORE: u8 = 1;
const LONG: u8 = 2;
const COMMAND: u8 = 4;

/// The longest frame that a subscriber may send: it sends topics.
const MAX_FRAME: u64 = 64 << 10;

const GREETING: usize = 64;

/// Why a connection is not that of a subscriber.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// The connection broke.
    #[error(transparent)]
    Connection(#[from] std::io::Error),
    /// The peer speaks something else, or an older version.
    #[error("the peer does not speak ZMTP 3")]
    Version,
    /// The peer wants to be authenticated or encrypted.
    #[error("the peer asks for the mechanism `{0}`; only NULL is offered")]
    Mechanism(String),
    /// The peer is no subscriber.
    #[error("the peer is a socket of type `{0}`, not a subscriber")]
    SocketType(String),
    /// A frame is longer than a topic can be.
    #[error("the peer sends a frame of {0} bytes")]
    Oversized(u64),
    /// A command breaks the protocol.
    #[error("the peer sends a command that cannot be read")]
    Command,
}

/// What a subscriber says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// It wants messages whose first frame begins with this.
    Subscribe(Bytes),
    /// It no longer does.
    Cancel(Bytes),
    /// It wants to know whether the connection lives, and gets this back.
    Ping(Bytes),
    /// Nothing that matters.
    Nothing,
}

/// Greets a peer and makes sure that it is a subscriber.
///
/// # Errors
/// Where it is not, or the connection breaks.
pub async fn handshake(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> Result<(), WireError> {
    let mut ours = [0; GREETING];
    (ours[0], ours[9], ours[10]) = (0xff, 0x7f, 3);
    ours[12..16].copy_from_slice(b"NULL");
    stream.write_all(&ours).await?;
    let mut theirs = [0; GREETING];
    // An older peer's greeting ends earlier: its version is looked at before the rest is waited for.
    stream.read_exact(&mut theirs[..11]).await?;
    if theirs[0] != 0xff || theirs[9] & 1 == 0 || theirs[10] < 3 {
        return Err(WireError::Version);
    }
    stream.read_exact(&mut theirs[11..]).await?;
    let mechanism = String::from_utf8_lossy(&theirs[12..32]).trim_end_matches('\0').to_string();
    if mechanism != "NULL" {
        return Err(WireError::Mechanism(mechanism));
    }
    let mut ready = BytesMut::from(&b"\x05READY\x0bSocket-Type"[..]);
    ready.put_u32(4);
    ready.put_slice(b"XPUB");
    stream.write_all(&frame(COMMAND, &ready)).await?;
    let (flags, body) = read_frame(stream).await?;
    let mut properties = match body.strip_prefix(b"\x05READY") {
        Some(properties) if flags & COMMAND != 0 => properties,
        _ => return Err(WireError::Command),
    };
    while !properties.is_empty() {
        let (name, value) = property(&mut properties).ok_or(WireError::Command)?;
        if name.eq_ignore_ascii_case(b"Socket-Type") && !matches!(value, b"SUB" | b"XSUB") {
            return Err(WireError::SocketType(String::from_utf8_lossy(value).into_owned()));
        }
    }
    Ok(())
}

/// Takes one property off the front of a READY command's list.
fn property<'a>(list: &mut &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
    let (length, rest) = list.split_first()?;
    let (name, rest) = rest.split_at_checked(usize::from(*length))?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let (value, rest) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
    *list = rest;
    Some((name, value))
}

/// The next thing that a subscriber says.
///
/// # Errors
/// Where the connection breaks or the peer breaks the protocol.
pub async fn listen(stream: &mut (impl AsyncRead + Unpin)) -> Result<Told, WireError> {
    let (flags, body) = read_frame(stream).await?;
    if flags & COMMAND == 0 {
        return Ok(match body.first() {
            Some(1) if flags & MORE == 0 => Told::Subscribe(body.slice(1..)),
            Some(0) if flags & MORE == 0 => Told::Cancel(body.slice(1..)),
            _ => Told::Nothing,
        });
    }
    // Peers of ZMTP 3.1 have commands for the same.
    let length = usize::from(*body.first().ok_or(WireError::Command)?) + 1;
    if body.len() < length {
        return Err(WireError::Command);
    }
    let (name, data) = (&body[1..length], body.slice(length..));
    Ok(match name {
        b"SUBSCRIBE" => Told::Subscribe(data),
        b"CANCEL" => Told::Cancel(data),
        // Two bytes say how long the peer would wait; the rest is to come back.
        b"PING" if data.len() >= 2 => Told::Ping(data.slice(2..)),
        _ => Told::Nothing,
    })
}

async fn read_frame(stream: &mut (impl AsyncRead + Unpin)) -> Result<(u8, Bytes), WireError> {
    let flags = stream.read_u8().await?;
    let length = if flags & LONG == 0 { u64::from(stream.read_u8().await?) } else { stream.read_u64().await? };
    if length > MAX_FRAME {
        return Err(WireError::Oversized(length));
    }
    let mut body = vec![0; usize::try_from(length).map_err(|_| WireError::Oversized(length))?];
    stream.read_exact(&mut body).await?;
    Ok((flags, body.into()))
}

/// A message of several frames, as it goes over the wire.
pub fn message(frames: &[Bytes]) -> Bytes {
    let mut out = BytesMut::with_capacity(frames.iter().map(|frame| frame.len() + 9).sum());
    for (index, body) in frames.iter().enumerate() {
        put_frame(&mut out, if index + 1 < frames.len() { MORE } else { 0 }, body);
    }
    out.freeze()
}

/// The answer to [`Told::Ping`].
pub fn pong(context: &[u8]) -> Bytes {
    frame(COMMAND, &[b"\x04PONG", context].concat())
}

fn frame(flags: u8, body: &[u8]) -> Bytes {
    let mut out = BytesMut::with_capacity(body.len() + 9);
    put_frame(&mut out, flags, body);
    out.freeze()
}

fn put_frame(out: &mut BytesMut, flags: u8, body: &[u8]) {
    match u8::try_from(body.len()) {
        Ok(length) => out.put_slice(&[flags, length]),
        Err(_) => {
            out.put_u8(flags | LONG);
            out.put_u64(body.len() as u64);
        }
    }
    out.put_slice(body);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn greeting(version: u8, mechanism: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; GREETING];
        (bytes[0], bytes[9], bytes[10]) = (0xff, 0x7f, version);
        bytes[12..12 + mechanism.len()].copy_from_slice(mechanism);
        bytes
    }

    fn ready(socket: &[u8]) -> Vec<u8> {
        let mut body = b"\x05READY\x0bSocket-Type\0\0\0".to_vec();
        body.push(u8::try_from(socket.len()).unwrap());
        body.extend(socket);
        frame(COMMAND, &body).to_vec()
    }

    /// What comes of a peer that sends `bytes` and then closes.
    async fn greeted(bytes: &[u8]) -> Result<(), WireError> {
        let (mut here, mut there) = tokio::io::duplex(4096);
        there.write_all(bytes).await.unwrap();
        there.shutdown().await.unwrap();
        handshake(&mut here).await
    }

    #[tokio::test]
    async fn only_subscribers_without_a_mechanism_are_let_in() {
        let hello = |mechanism: &[u8], socket: &[u8]| [greeting(3, mechanism), ready(socket)].concat();
        greeted(&hello(b"NULL", b"SUB")).await.unwrap();
        greeted(&hello(b"NULL", b"XSUB")).await.unwrap();
        assert!(matches!(greeted(&hello(b"NULL", b"DEALER")).await, Err(WireError::SocketType(_))));
        assert!(matches!(greeted(&hello(b"CURVE", b"SUB")).await, Err(WireError::Mechanism(name)) if name == "CURVE"));
        assert!(matches!(greeted(&greeting(1, b"NULL")).await, Err(WireError::Version)));
        assert!(matches!(greeted(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await, Err(WireError::Version)));
        assert!(matches!(greeted(&[]).await, Err(WireError::Connection(_))));
        let broken = [greeting(3, b"NULL"), frame(COMMAND, b"\x05READY\x0bSock").to_vec()].concat();
        assert!(matches!(greeted(&broken).await, Err(WireError::Command)));
    }

    #[tokio::test]
    async fn topics_come_as_messages_or_commands() {
        let told = |bytes: Vec<u8>| async move { listen(&mut &bytes[..]).await };
        let topic = Bytes::from_static(b"status");
        assert_eq!(told(frame(0, b"\x01status").to_vec()).await.unwrap(), Told::Subscribe(topic.clone()));
        assert_eq!(told(frame(0, b"\x00status").to_vec()).await.unwrap(), Told::Cancel(topic.clone()));
        assert_eq!(
            told(frame(COMMAND, b"\x09SUBSCRIBEstatus").to_vec()).await.unwrap(),
            Told::Subscribe(topic.clone())
        );
        assert_eq!(told(frame(COMMAND, b"\x06CANCELstatus").to_vec()).await.unwrap(), Told::Cancel(topic));
        let ping = told(frame(COMMAND, b"\x04PING\0\x05x").to_vec()).await.unwrap();
        assert_eq!(ping, Told::Ping(Bytes::from_static(b"x")));
        assert_eq!(told(frame(0, b"hello").to_vec()).await.unwrap(), Told::Nothing);
        assert!(matches!(told(frame(COMMAND, b"").to_vec()).await, Err(WireError::Command)));
        assert!(matches!(told(frame(COMMAND, b"\xffX").to_vec()).await, Err(WireError::Command)));
        let huge = [vec![LONG], u64::MAX.to_be_bytes().to_vec()].concat();
        assert!(matches!(told(huge).await, Err(WireError::Oversized(u64::MAX))));
    }

    #[test]
    fn frames_say_their_length_and_whether_more_follows() {
        let long = Bytes::from(vec![7; 300]);
        let wire = message(&[Bytes::from_static(b"ab"), long]);
        assert_eq!(&wire[..4], &[MORE, 2, b'a', b'b']);
        assert_eq!(&wire[4..13], &[LONG, 0, 0, 0, 0, 0, 0, 1, 44]);
        assert_eq!(wire.len(), 4 + 9 + 300);
    }
}
