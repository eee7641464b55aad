//! Following a program: a thread hands what the program says to a consumer. Whoever waits for a program can drain its
//! events itself, so that after a wait the consumer holds all that was sent before it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Select, Sender, TryRecvError, bounded};
use parking_lot::Mutex;
use tidebook_engine::{OutputEvent, Program, ProgramId};

/// Takes what a program says, in order.
pub(crate) trait Consumer: Send {
    /// Takes one event.
    fn consume(&mut self, event: OutputEvent);

    /// Called when all events that were waiting have been taken. With `flush`, what was taken is in its target when this
    /// returns, unless the target refuses it; without, the consumer may put that off until the time that it gives.
    fn settle(&mut self, flush: bool) -> Option<Instant>;
}

/// A running program with its consumer.
pub(crate) struct Follower {
    /// The program.
    pub(crate) program: ProgramId,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    events: Receiver<OutputEvent>,
    /// Tells the thread that the consumer wants to be settled at a time of its own: whoever drains does not come back.
    nudge: Sender<()>,
    nudged: Receiver<()>,
    /// `None` once nobody wants to hear more.
    consumer: Mutex<Option<Box<dyn Consumer>>>,
    /// True once the consumer is to be dropped before the next event. It has no lock, since a program that speaks faster than
    /// its consumer listens keeps the consumer's lock taken.
    abandoned: AtomicBool,
}

impl Follower {
    /// Starts to follow `program`.
    ///
    /// # Errors
    /// Where the operating system gives no thread.
    pub(crate) fn start(program: Program, consumer: Box<dyn Consumer>) -> std::io::Result<Follower> {
        let (nudge, nudged) = bounded(1);
        let shared = Arc::new(Shared {
            events: program.events,
            nudge,
            nudged,
            consumer: Mutex::new(Some(consumer)),
            abandoned: AtomicBool::new(false),
        });
        let followed = Arc::clone(&shared);
        let thread =
            std::thread::Builder::new().name(format!("follow-{}", program.id.0)).spawn(move || followed.run())?;
        Ok(Follower { program: program.id, shared, thread: Some(thread) })
    }

    /// Takes everything that the program has said until now, and flushes it to its target.
    pub(crate) fn drain(&self) {
        if let (true, Some(_)) = self.shared.drain(true) {
            // A full channel says it already.
            let _ = self.shared.nudge.try_send(());
        }
    }

    /// Takes everything that was said until now, flushes it, and hears no more: when this returns, nothing is written to
    /// the target again. The thread ends by itself when the program is gone, which may take a while.
    pub(crate) fn close(self) {
        self.shared.drain(true);
        *self.shared.consumer.lock() = None;
    }

    /// From now on what the program says is thrown away, also what it has said and nobody has heard.
    pub(crate) fn abandon(&self) {
        self.shared.abandoned.store(true, Ordering::Relaxed);
    }

    /// Waits for the thread to end, which it does when the program is gone.
    pub(crate) fn join(mut self) {
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!(program = self.program.0, "the thread that follows a program has panicked");
        }
    }
}

impl Shared {
    fn run(&self) {
        let mut wake = None;
        loop {
            let mut select = Select::new();
            select.recv(&self.events);
            select.recv(&self.nudged);
            let ready = match wake {
                None => {
                    select.ready();
                    true
                }
                Some(deadline) => select.ready_deadline(deadline).is_ok(),
            };
            // Whatever woke it: what was said is taken, and the consumer says when it wants to be settled.
            let _ = self.nudged.try_recv();
            let (open, next) = if ready { self.drain(false) } else { (true, self.settle()) };
            wake = next;
            if !open {
                return;
            }
        }
    }

    fn settle(&self) -> Option<Instant> {
        self.consumer.lock().as_mut().and_then(|consumer| consumer.settle(false))
    }

    /// Takes what was said until now, and no more: a program may go on speaking faster than it is heard, and whoever
    /// drains has other things to look at. Gives whether the program is still there, and when to come back.
    fn drain(&self, flush: bool) -> (bool, Option<Instant>) {
        let mut consumer = self.consumer.lock();
        let mut waiting = self.events.len();
        loop {
            if self.abandoned.load(Ordering::Relaxed) {
                *consumer = None;
            }
            let event = match self.events.try_recv() {
                Ok(event) => event,
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => {
                    consumer.as_mut().and_then(|consumer| consumer.settle(true));
                    return (false, None);
                }
            };
            if let Some(consumer) = consumer.as_mut() {
                consumer.consume(event);
            }
            waiting = waiting.saturating_sub(1);
            if waiting == 0 {
                break;
            }
        }
        (true, consumer.as_mut().and_then(|consumer| consumer.settle(flush)))
    }
}

/// The least time between two rewrites of a sink's target while changes keep coming.
pub(crate) const SETTLE_INTERVAL: Duration = Duration::from_millis(100);
