//! Waiting until programs have caught up with their inputs.

use std::sync::Arc;
use std::time::Instant;

use crossbeam_channel::{Receiver, RecvTimeoutError};

/// How far programs are to catch up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CatchUp {
    /// Everything that the inputs hold at the moment of the call, and all steps of constants.
    Present,
    /// The same, but sources that end by themselves are read to their end.
    Ended,
}

/// How waiting ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caught {
    /// The programs' outputs hold it all.
    Done,
    /// A source or a worker failed before that.
    Failed(String),
    /// The deadline passed first; the programs go on.
    TimedOut,
}

/// A wait that is under way. Dropping it gives the wait up.
#[derive(Debug)]
pub struct CatchUpHandle {
    pub(crate) outcome: Receiver<Caught>,
    /// Gone when the wait is given up.
    pub(crate) _wanted: Arc<()>,
}

impl CatchUpHandle {
    /// Waits until it is decided or the deadline has passed. After the outcome was given once, it is not given again.
    pub fn wait(&self, deadline: Option<Instant>) -> Caught {
        let stopped = || Caught::Failed("the engine has stopped".to_string());
        match deadline {
            None => self.outcome.recv().unwrap_or_else(|_| stopped()),
            Some(deadline) => match self.outcome.recv_deadline(deadline) {
                Ok(outcome) => outcome,
                Err(RecvTimeoutError::Timeout) => Caught::TimedOut,
                Err(RecvTimeoutError::Disconnected) => stopped(),
            },
        }
    }

    /// The channel on which the outcome arrives, for waiting on several things at once.
    pub fn outcome(&self) -> &Receiver<Caught> {
        &self.outcome
    }

    /// Gives the wait up.
    pub fn cancel(self) {}
}
