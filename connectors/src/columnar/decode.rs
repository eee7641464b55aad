//! Decoding on several threads, in order.
//!
//! Units of work are handed to a few threads; each gives its batches through a channel of its own that holds a
//! few, and the reader takes them unit by unit. So memory is bounded by the number of threads, and what comes out is the
//! same however many there are.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use parking_lot::Mutex;
use tidebook_plan::connector::ConnectorError;

use super::file::{ColumnarFile, Unit, damaged};
use crate::format::Decoded;

/// Threads at most. More do not help: what comes out is taken by one.
const MOST_THREADS: usize = 4;
/// Batches that a unit holds ready.
const READY: usize = 2;

type Piece = Result<Decoded, ConnectorError>;

/// A unit with where its batches go.
struct Job {
    file: Arc<dyn ColumnarFile>,
    unit: Unit,
    /// What messages call the file.
    what: String,
    out: SyncSender<Piece>,
}

/// Threads that decode.
pub struct Decoders {
    jobs: Option<SyncSender<Job>>,
    waiting: Arc<Mutex<Receiver<Job>>>,
    threads: Vec<JoinHandle<()>>,
    most: usize,
    /// Units under way, in order, each with the number of its file.
    units: VecDeque<(usize, Receiver<Piece>)>,
}

impl Decoders {
    /// No threads yet.
    pub fn new() -> Decoders {
        let (jobs, waiting) = sync_channel(MOST_THREADS);
        let most = std::thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS);
        Decoders {
            jobs: Some(jobs),
            waiting: Arc::new(Mutex::new(waiting)),
            threads: Vec::new(),
            most,
            units: VecDeque::new(),
        }
    }

    /// True if another unit can be begun.
    pub fn has_room(&self) -> bool {
        self.units.len() < self.most
    }

    /// True if nothing is under way.
    pub fn is_idle(&self) -> bool {
        self.units.is_empty()
    }

    /// The number of the file whose unit is next.
    pub fn first(&self) -> Option<usize> {
        self.units.front().map(|(number, _)| *number)
    }

    /// Begins a unit of the file with this number.
    ///
    /// # Errors
    /// Where no thread can be started.
    pub fn begin(
        &mut self,
        number: usize,
        file: &Arc<dyn ColumnarFile>,
        unit: &Unit,
        what: &str,
    ) -> Result<(), ConnectorError> {
        if self.threads.len() < self.most {
            let waiting = self.waiting.clone();
            let thread = std::thread::Builder::new().name("tidebook decode".to_string()).spawn(move || work(&waiting));
            let failed = |source| ConnectorError::Io { action: "read", what: what.to_string(), source };
            self.threads.push(thread.map_err(failed)?);
        }
        let (out, pieces) = sync_channel(READY);
        let job = Job { file: file.clone(), unit: unit.clone(), what: what.to_string(), out };
        match self.jobs.as_ref().map(|jobs| jobs.send(job)) {
            Some(Ok(())) => {}
            _ => panic!("invariant: the queue lives as long as its decoders"),
        }
        self.units.push_back((number, pieces));
        Ok(())
    }

    /// The next batch with the number of its file; waits for it. `None` where a unit has
    /// ended, so that another one can be begun.
    pub fn next(&mut self) -> Option<(usize, Piece)> {
        let (number, pieces) = self.units.front()?;
        match pieces.recv() {
            Ok(piece) => Some((*number, piece)),
            Err(_) => {
                self.units.pop_front();
                None
            }
        }
    }
}

impl Drop for Decoders {
    fn drop(&mut self) {
        self.units.clear();
        self.jobs = None;
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a decoder has panicked");
            }
        }
    }
}

fn work(waiting: &Mutex<Receiver<Job>>) {
    loop {
        let job = waiting.lock().recv();
        let Ok(Job { file, unit, what, out }) = job else { return };
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            file.read(&unit, &mut |decoded| out.send(Ok(decoded)).is_ok())
        }));
        let last = match outcome {
            Ok(Ok(())) => continue,
            Ok(Err(error)) => error,
            // Decoders trust what they read more than they should.
            Err(_) => damaged(&what),
        };
        // If nobody listens, nobody wants to know.
        let _ = out.send(Err(last));
    }
}
