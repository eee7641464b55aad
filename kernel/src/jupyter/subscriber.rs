//! One subscriber of iopub: what waits for it, and the connection that it leaves by.
//!
//! *Invariant:* what waits for one subscriber never waits for another, and nothing reaches a subscriber twice.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::sync::Notify;
use tokio::time::timeout;

use super::zmtp::{self, Told, WireError};

/// Bytes that may wait for a subscriber before the publisher looks whether it still reads.
const HIGH_WATER: usize = 64 << 20;

/// How long a peer may take to greet.
const GREETING_TIMEOUT: Duration = Duration::from_secs(10);

/// Bytes that are handed to the system at once; each such piece that it takes shows that the subscriber reads.
const PIECE: usize = 256 << 10;

/// A message on its way to all subscribers. Clones share the bytes.
#[derive(Clone, Debug)]
pub struct Publication {
    /// The first frame, which subscriptions are compared with.
    pub topic: Bytes,
    /// The whole message as it goes over the wire.
    pub wire: Bytes,
    /// For the frame of a display: which. A later one takes its place.
    pub display: Option<u64>,
}

/// A subscriber.
#[derive(Debug, Default)]
pub struct Subscriber {
    outbox: Mutex<Outbox>,
    /// Something waits, or the subscriber is to go.
    filled: Notify,
}

#[derive(Debug, Default)]
struct Outbox {
    topics: Vec<Bytes>,
    entries: VecDeque<Entry>,
    /// The frame of each display that has a place among the entries.
    frames: HashMap<u64, Bytes>,
    /// Bytes that wait or are being written.
    bytes: usize,
    /// When the subscriber last took something, or last began to be owed something.
    moved: Option<Instant>,
    /// Nothing more will come: it goes once it has everything.
    closing: bool,
    /// It is gone, or is to go at once.
    gone: bool,
}

#[derive(Debug)]
enum Entry {
    Message(Bytes),
    Frame(u64),
}

impl Subscriber {
    /// Puts a message among what waits, if the subscriber has asked for its topic.
    pub fn give(&self, publication: &Publication) {
        let mut outbox = self.outbox.lock();
        if outbox.gone || !outbox.topics.iter().any(|topic| publication.topic.starts_with(topic)) {
            return;
        }
        let entry = match publication.display {
            None => Entry::Message(publication.wire.clone()),
            Some(display) => match outbox.frames.insert(display, publication.wire.clone()) {
                None => Entry::Frame(display),
                Some(replaced) => {
                    outbox.bytes = outbox.bytes - replaced.len() + publication.wire.len();
                    return;
                }
            },
        };
        outbox.push(entry, publication.wire.len());
        drop(outbox);
        self.filled.notify_one();
    }

    /// When it will have stood still for `patience` while too much waits for it; `None` if all is well.
    pub fn overdue_at(&self, patience: Duration) -> Option<Instant> {
        let outbox = self.outbox.lock();
        (!outbox.gone && outbox.bytes > HIGH_WATER).then(|| outbox.still_since() + patience)
    }

    /// When it will have stood still for `patience` while anything waits for it; `None` if nothing does.
    pub fn owed_until(&self, patience: Duration) -> Option<Instant> {
        let outbox = self.outbox.lock();
        (!outbox.gone && outbox.bytes > 0).then(|| outbox.still_since() + patience)
    }

    /// Disconnects it, whatever waits.
    pub fn cut_off(&self) {
        let mut outbox = self.outbox.lock();
        *outbox = Outbox { gone: true, ..Outbox::default() };
        drop(outbox);
        self.filled.notify_one();
    }

    /// Disconnects it once it has everything.
    pub fn close(&self) {
        self.outbox.lock().closing = true;
        self.filled.notify_one();
    }

    /// True once it takes nothing more.
    pub fn is_gone(&self) -> bool {
        self.outbox.lock().gone
    }

    /// Lets it have messages of a topic from now on; first of all the welcome.
    fn subscribe(&self, topic: Bytes, welcome: Bytes) {
        let mut outbox = self.outbox.lock();
        outbox.topics.push(topic);
        // Under the same lock, so that it is the first that the subscriber sees of this topic.
        let length = welcome.len();
        outbox.push(Entry::Message(welcome), length);
        drop(outbox);
        self.filled.notify_one();
    }

    /// True if it has asked for the topic of a message already.
    fn wants(&self, publication: &Publication) -> bool {
        self.outbox.lock().topics.iter().any(|topic| publication.topic.starts_with(topic))
    }

    fn cancel(&self, topic: &Bytes) {
        let mut outbox = self.outbox.lock();
        if let Some(place) = outbox.topics.iter().position(|known| known == topic) {
            outbox.topics.remove(place);
        }
    }

    fn answer(&self, wire: Bytes) {
        let length = wire.len();
        self.outbox.lock().push(Entry::Message(wire), length);
        self.filled.notify_one();
    }

    /// The next thing to write; `None` once there is nothing and nothing will come.
    async fn next(&self) -> Option<Bytes> {
        loop {
            {
                let mut outbox = self.outbox.lock();
                match outbox.entries.pop_front() {
                    Some(Entry::Message(wire)) => return Some(wire),
                    Some(Entry::Frame(display)) => {
                        if let Some(wire) = outbox.frames.remove(&display) {
                            return Some(wire);
                        }
                    }
                    None if outbox.closing || outbox.gone => return None,
                    None => {}
                }
            }
            self.filled.notified().await;
        }
    }

    fn took(&self, bytes: usize) {
        let mut outbox = self.outbox.lock();
        outbox.bytes = outbox.bytes.saturating_sub(bytes);
        outbox.moved = Some(Instant::now());
    }

    /// Serves the subscriber's connection until either side ends it; `welcome` makes the first message of a topic, and
    /// `all` are the subscribers that it is one of.
    ///
    /// # Errors
    /// Where the peer is no subscriber or the connection breaks.
    pub async fn attend(
        &self,
        mut stream: impl AsyncRead + AsyncWrite + Unpin,
        welcome: impl Fn(&[u8]) -> Option<Bytes>,
        all: &Subscribers,
    ) -> Result<(), WireError> {
        timeout(GREETING_TIMEOUT, zmtp::handshake(&mut stream))
            .await
            .map_err(|_| WireError::Connection(std::io::ErrorKind::TimedOut.into()))??;
        let (mut reader, mut writer) = tokio::io::split(stream);
        let reading = async {
            loop {
                match zmtp::listen(&mut reader).await? {
                    Told::Subscribe(topic) => {
                        if let Some(welcome) = welcome(&topic) {
                            all.subscribe(self, topic, welcome);
                        }
                    }
                    Told::Cancel(topic) => self.cancel(&topic),
                    Told::Ping(context) => self.answer(zmtp::pong(&context)),
                    Told::Nothing => {}
                }
            }
        };
        let writing = async {
            while let Some(wire) = self.next().await {
                for piece in wire.chunks(PIECE) {
                    tokio::select! {
                        written = writer.write_all(piece) => written?,
                        () = self.cut() => return Ok(()),
                    }
                    self.took(piece.len());
                    all.moved.notify_one();
                }
            }
            writer.shutdown().await?;
            Ok(())
        };
        tokio::select! { ended = reading => ended, ended = writing => ended }
    }

    /// Waits until the subscriber is cut off.
    async fn cut(&self) {
        while !self.is_gone() {
            self.filled.notified().await;
        }
    }
}

impl Outbox {
    fn push(&mut self, entry: Entry, bytes: usize) {
        if self.bytes == 0 {
            self.moved = Some(Instant::now());
        }
        self.entries.push_back(entry);
        self.bytes += bytes;
    }

    fn still_since(&self) -> Instant {
        self.moved.unwrap_or_else(Instant::now)
    }
}

/// Bytes that are kept for those who come late, at most.
const EARLY_BYTES: usize = 4 << 20;

/// All subscribers.
#[derive(Debug)]
pub struct Subscribers {
    present: Mutex<Present>,
    /// A subscriber has taken something or has gone.
    pub moved: Notify,
}

#[derive(Debug)]
struct Present {
    subscribers: Vec<Arc<Subscriber>>,
    /// What was published since the start, and its bytes, until the end of that time.
    early: Option<(Vec<Publication>, usize)>,
    late_from: Instant,
}

impl Present {
    /// Keeps a message for those who come late, as long as that is done.
    fn keep(&mut self, publication: &Publication) {
        let Some((kept, bytes)) = &mut self.early else { return };
        *bytes += publication.wire.len();
        if *bytes > EARLY_BYTES || Instant::now() >= self.late_from {
            self.early = None;
        } else {
            kept.push(publication.clone());
        }
    }
}

impl Subscribers {
    /// Nobody yet. Who comes within `early` from now gets what was published before it came.
    pub fn new(early: Duration) -> Self {
        let present =
            Present { subscribers: Vec::new(), early: Some((Vec::new(), 0)), late_from: Instant::now() + early };
        Subscribers { present: Mutex::new(present), moved: Notify::new() }
    }

    /// A new one.
    pub fn enter(&self) -> Arc<Subscriber> {
        let subscriber = Arc::new(Subscriber::default());
        self.present.lock().subscribers.push(subscriber.clone());
        subscriber
    }

    /// Lets one of them have the messages of a topic: from now on, or, soon after the start, from then on.
    fn subscribe(&self, subscriber: &Subscriber, topic: Bytes, welcome: Bytes) {
        // Under the lock under which messages are given, so that none is given twice and none is passed over.
        let present = self.present.lock();
        let early = present.early.iter().filter(|_| Instant::now() < present.late_from).flat_map(|(kept, _)| kept);
        let missed: Vec<&Publication> =
            early.filter(|early| early.topic.starts_with(&topic) && !subscriber.wants(early)).collect();
        subscriber.subscribe(topic, welcome);
        missed.into_iter().for_each(|early| subscriber.give(early));
    }

    /// Forgets one.
    pub fn leave(&self, subscriber: &Arc<Subscriber>) {
        subscriber.cut_off();
        self.present.lock().subscribers.retain(|present| !Arc::ptr_eq(present, subscriber));
        self.moved.notify_one();
    }

    /// Gives a message to everyone who has asked for it.
    pub fn give(&self, publication: &Publication) {
        let mut present = self.present.lock();
        present.subscribers.iter().for_each(|subscriber| subscriber.give(publication));
        present.keep(publication);
    }

    /// Waits until too much waits for nobody. Who stands still for `patience` is cut off.
    pub async fn make_room(&self, patience: Duration) {
        self.wait(|subscriber| subscriber.overdue_at(patience)).await;
    }

    /// Lets everyone have what waits, then disconnects them. Who stands still for `patience` is cut off.
    pub async fn close(&self, patience: Duration) {
        self.present.lock().subscribers.iter().for_each(|subscriber| subscriber.close());
        self.wait(|subscriber| subscriber.owed_until(patience)).await;
    }

    /// Waits until `until` says of nobody that there is something to wait for; cuts off those whose time is over.
    async fn wait(&self, until: impl Fn(&Subscriber) -> Option<Instant>) {
        loop {
            let mut earliest: Option<Instant> = None;
            for subscriber in &self.present.lock().subscribers {
                let Some(until) = until(subscriber) else { continue };
                if until <= Instant::now() {
                    tracing::warn!("disconnecting a subscriber that does not read");
                    subscriber.cut_off();
                } else {
                    earliest = Some(earliest.map_or(until, |earliest| earliest.min(until)));
                }
            }
            let Some(earliest) = earliest else { return };
            tokio::select! {
                () = self.moved.notified() => {}
                () = tokio::time::sleep_until(earliest.into()) => {}
            }
        }
    }
}
