//! What the engine says about itself.

use std::time::Duration;

use crate::output::ProgramId;

/// A picture of the engine at one moment.
#[derive(Clone, Debug, Default)]
pub struct EngineStats {
    /// The last epoch that was issued.
    pub epoch: u64,
    /// Worker threads.
    pub workers: usize,
    /// Programs that run.
    pub programs: Vec<ProgramStats>,
    /// Arrangements that programs can share.
    pub arrangements: Vec<ArrangementStats>,
    /// Sources that are read.
    pub sources: Vec<SourceStats>,
    /// Dataflows in all: programs, and what is kept since programs read from it.
    pub dataflows: usize,
    /// Timely operators of all dataflows of one worker.
    pub operators: usize,
    /// Threads that belong to the engine.
    pub threads: usize,
}

/// One program.
#[derive(Clone, Debug)]
pub struct ProgramStats {
    /// Which.
    pub id: ProgramId,
    /// The first epoch that is not closed yet; `None` when there will be no further epoch.
    pub frontier: Option<u64>,
    /// True while contents of its inputs are being loaded.
    pub loading: bool,
    /// Timely operators of its dataflow on one worker.
    pub operators: usize,
    /// Bytes of the arrangements that its dataflow maintains, over all workers.
    pub bytes: u64,
    /// The nodes of its plan, in order.
    pub nodes: Vec<NodeStats>,
}

/// One node of a program's plan, over all workers.
#[derive(Clone, Debug)]
pub struct NodeStats {
    /// The node as explanations write it.
    pub plan: String,
    /// The step that it came from, as the user wrote it.
    pub step: String,
    /// False where another program does its work.
    pub own: bool,
    /// Rows that it gave, added or taken back.
    pub rows: u64,
    /// How long its operators worked, arranging its inputs included.
    pub time: Duration,
    /// Updates of the arrangements of it.
    pub updates: usize,
    /// Bytes of these, about.
    pub bytes: u64,
}

/// One arrangement.
#[derive(Clone, Debug)]
pub struct ArrangementStats {
    /// Fingerprint of what is arranged, and by which columns.
    pub name: String,
    /// Updates held, over all workers.
    pub rows: usize,
    /// Bytes of them.
    pub bytes: u64,
    /// Dataflows that use it, the one that maintains it included.
    pub users: usize,
}

/// One source.
#[derive(Clone, Debug)]
pub struct SourceStats {
    /// Name of its connector.
    pub connector: String,
    /// Rows read so far by its first reader.
    pub rows: u64,
    /// Errors read so far.
    pub errors: u64,
    /// True once it has said that there will be no more.
    pub ended: bool,
    /// What went wrong, if anything did.
    pub failed: Option<String>,
    /// Bytes of current rows kept in memory for programs that come later.
    pub held_bytes: u64,
    /// Bytes of the log on disk for programs that come later.
    pub stored_bytes: u64,
    /// Dataflows that read it.
    pub readers: usize,
}
