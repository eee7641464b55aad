//! What a program gives to the one who installed it.

use crossbeam_channel::Receiver;
use tidebook_plan::ChangeBatch;

/// Identity of a program in its engine; never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProgramId(pub u64);

/// A running program. Dropping it does not stop the program: [`crate::Engine::drop_programs`] does.
#[derive(Debug)]
pub struct Program {
    /// Its identity.
    pub id: ProgramId,
    /// The epoch of installation: the contents of its inputs enter at this epoch, later changes at later ones.
    pub epoch: u64,
    /// What it gives, in order.
    pub events: Receiver<OutputEvent>,
}

/// One thing that a program says.
#[derive(Clone, Debug)]
pub enum OutputEvent {
    /// Rows added to and taken from an output.
    Changes {
        /// Position of the output in `FlowPlan::outputs`.
        port: usize,
        /// The epoch of the changes.
        epoch: u64,
        /// The changes. Rows of one epoch may come in several batches and, in large epochs, may cancel each other.
        changes: ChangeBatch,
    },
    /// Every change with an epoch of at most this one was sent before.
    Closed {
        /// The epoch.
        epoch: u64,
    },
    /// The contents of the inputs are being loaded.
    Loading {
        /// Rows that have been fed to the program so far.
        rows: u64,
    },
    /// All inputs have ended and everything was delivered: nothing follows.
    Ended,
    /// A source or a worker that the program needs has failed. Its contents stay as they are.
    Failed {
        /// What went wrong, as a sentence without a capital.
        message: String,
    },
}
