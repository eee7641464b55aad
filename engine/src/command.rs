//! What the threads of the engine say to each other.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Weak};
use std::thread::Thread;
use std::time::Duration;

use crossbeam_channel::Sender;
use tidebook_plan::connector::{SourceBatch, SourceError};
use tidebook_plan::{ChangeBatch, FlowPlan};

use crate::catch_up::{CatchUp, Caught};
use crate::engine::EngineError;
use crate::output::{OutputEvent, Program, ProgramId};
use crate::sharing::{ArrangementKey, SharedPlan};
use crate::stats::EngineStats;

/// Identity of a dataflow: that of its program, which it may outlive.
pub(crate) type DataflowId = u64;
/// Identity of something that rows are fed from: a source or a constant.
pub(crate) type FeedId = u64;

/// From the public handle to the coordinator.
pub(crate) enum Request {
    Replace { remove: Vec<ProgramId>, plans: Vec<FlowPlan>, reply: Sender<Result<Vec<Program>, EngineError>> },
    Drop { programs: Vec<ProgramId>, reply: Sender<Result<(), EngineError>> },
    CatchUp { programs: Vec<ProgramId>, mode: CatchUp, outcome: Sender<Caught>, wanted: Weak<()> },
    Stats { reply: Sender<Result<EngineStats, EngineError>> },
    Health { reply: Sender<Result<(), EngineError>> },
    Shutdown,
}

/// Which stream of a feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Port {
    Rows,
    Errors,
}

/// Changes for one feed.
#[derive(Clone, Debug)]
pub(crate) struct Fed {
    pub feed: FeedId,
    pub port: Port,
    pub changes: Arc<ChangeBatch>,
    /// Only dataflows with a smaller identity get them: later ones have them in their initial contents.
    pub before: DataflowId,
}

/// A dataflow that workers are to build.
#[derive(Clone)]
pub(crate) struct Installation {
    pub dataflow: DataflowId,
    pub install: u64,
    pub shared: Arc<SharedPlan>,
    /// The feed of each node that is fed, in the order of [`SharedPlan::fed`].
    pub feeds: Vec<FeedId>,
    pub events: Sender<OutputEvent>,
    /// The latest epoch of changes that a worker has sent of it.
    pub latest: Arc<AtomicU64>,
}

/// From the coordinator to every worker, in one order.
#[derive(Clone)]
pub(crate) enum WorkerCommand {
    Install(Installation),
    /// Changes of an epoch, this worker's share. The epoch is complete with it.
    Epoch {
        epoch: u64,
        fed: Vec<Fed>,
    },
    /// Initial contents for one dataflow.
    Contents {
        dataflow: DataflowId,
        fed: Fed,
    },
    /// All initial contents of a feed were given to the dataflow.
    ContentsDone {
        dataflow: DataflowId,
        feed: FeedId,
    },
    /// A feed has ended.
    FeedEnded {
        feed: FeedId,
    },
    /// The program is gone; others still read from its dataflow.
    Detach {
        dataflow: DataflowId,
    },
    /// The dataflow is no longer needed.
    Retire {
        dataflow: DataflowId,
    },
    Stats,
    Shutdown,
}

/// What a node has done so far, on one worker.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct NodeWork {
    /// Rows that it gave, added or taken back.
    pub rows: u64,
    /// How long its operators worked.
    pub time: Duration,
}

/// What a worker counts.
#[derive(Clone, Debug, Default)]
pub(crate) struct WorkerStats {
    /// Dataflows that timely holds.
    pub dataflows: usize,
    /// Operators of each.
    pub operators: Vec<(DataflowId, usize)>,
    /// The nodes of each dataflow's plan.
    pub nodes: Vec<(DataflowId, Vec<NodeWork>)>,
    /// Updates of each arrangement, and their bytes.
    pub arrangements: Vec<(ArrangementKey, usize, u64)>,
}

/// From workers to the coordinator.
pub(crate) enum Report {
    /// The worker is up.
    Ready {
        worker: usize,
        thread: Thread,
    },
    /// Everything with an epoch before the frontier has left the dataflow; `None`: everything has.
    Frontier {
        dataflow: DataflowId,
        frontier: Option<u64>,
    },
    /// So many batches of contents were taken in.
    Consumed {
        batches: usize,
    },
    /// A retired dataflow is gone.
    Gone {
        dataflow: DataflowId,
    },
    Stats {
        stats: WorkerStats,
    },
    /// The worker does nothing more.
    Panicked {
        message: String,
    },
    /// A reader thread is about to end.
    ReaderGone {
        token: u64,
    },
}

/// From readers to the coordinator.
pub(crate) enum FeedEvent {
    Batch(SourceBatch),
    Retract {
        segment: u64,
        followed: bool,
    },
    /// The input holds nothing more now. With the number of the refresh that it answers, if any.
    Idle {
        refresh: Option<u64>,
    },
    End,
    Failed {
        message: String,
    },
    /// Rows that are read again for a dataflow that came later.
    Again {
        dataflow: DataflowId,
        rows: Option<ChangeBatch>,
        errors: Vec<SourceError>,
    },
    /// All of them were given.
    AgainDone {
        dataflow: DataflowId,
    },
    /// They could not be given.
    AgainFailed {
        dataflow: DataflowId,
        message: String,
    },
}
