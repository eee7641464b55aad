//! What rows are fed from: sources with their readers, and constants that are played step by step.

use std::sync::Arc;

use arrow_schema::SchemaRef;
use crossbeam_channel::Sender;
use tidebook_plan::connector::{Contents, OpenRequest, Resume, SourceConnector, SourceSpec};
use tidebook_plan::flow::{ConstantStep, Fingerprint};

use crate::command::{DataflowId, FeedId, Port};
use crate::ingest::{Held, ReaderHandle, StoredLog};
use tidebook_plan::ChangeBatch;

/// How the contents of a source are kept for programs that come later.
pub(super) enum Keep {
    /// In memory.
    Held(Held),
    /// In a log.
    Stored(StoredLog),
    /// Not at all: the source is read again.
    Reread,
}

/// A source that is being read.
pub(super) struct SourceFeed {
    pub spec: Arc<SourceSpec>,
    pub connector: Arc<dyn SourceConnector>,
    pub schema: SchemaRef,
    pub bounded: bool,
    pub keep: Keep,
    /// True until the reader has given everything that was there when it was opened.
    pub loading: bool,
    /// Rows and errors that the reader has given.
    pub rows: u64,
    pub errors: u64,
    pub resume: Option<Resume>,
    /// `None` once it has ended or failed.
    pub reader: Option<ReaderHandle>,
    /// Readers that repeat it for programs that came later. They stop when this is dropped.
    pub again: Vec<Repeater>,
}

/// A reader that gives a dataflow what went by before it came. It stops when this is dropped.
pub(super) struct Repeater {
    pub dataflow: DataflowId,
    /// Kept for being dropped.
    pub _stop: Sender<()>,
    /// Identity of its thread.
    pub token: u64,
}

/// A constant that is played.
pub(super) struct ConstantFeed {
    pub steps: Arc<Vec<ConstantStep>>,
    /// Steps that were played.
    pub played: usize,
}

/// What is behind a feed.
pub(super) enum Origin {
    Source(Box<SourceFeed>),
    Constant(ConstantFeed),
}

/// A source or constant that at least one dataflow reads.
pub(super) struct Feed {
    pub fingerprint: Fingerprint,
    pub origin: Origin,
    pub readers: Vec<DataflowId>,
    /// True once there will be no more changes.
    pub ended: bool,
    pub failed: Option<String>,
}

impl Feed {
    /// True while rows that come belong to the initial contents of all readers.
    pub fn is_loading(&self) -> bool {
        matches!(&self.origin, Origin::Source(source) if source.loading)
    }

    /// For people.
    pub fn name(&self) -> &str {
        match &self.origin {
            Origin::Source(source) => &source.spec.connector,
            Origin::Constant(_) => "rows",
        }
    }
}

impl SourceFeed {
    /// A source before its reader is started.
    pub fn new(spec: &Arc<SourceSpec>, connector: Arc<dyn SourceConnector>, schema: &SchemaRef, keep: Keep) -> Self {
        SourceFeed {
            bounded: connector.is_bounded(&spec.options),
            loading: connector.has_history(&spec.options),
            spec: Arc::clone(spec),
            connector,
            schema: schema.clone(),
            keep,
            rows: 0,
            errors: 0,
            resume: None,
            reader: None,
            again: Vec::new(),
        }
    }

    /// How the source is opened; `repeats` for a second reader, `beside` for the first one of another selection.
    pub fn open_request(&self, repeats: Option<Resume>, beside: Option<Resume>) -> OpenRequest {
        OpenRequest { spec: (*self.spec).clone(), repeats, beside }
    }

    /// How its contents are to be kept. The rows of a keyed source are held anyway, in order to replace them.
    pub fn way(spec: &SourceSpec, connector: &dyn SourceConnector) -> Contents {
        if spec.key.is_empty() { connector.contents(&spec.options) } else { Contents::Held }
    }
}

impl ConstantFeed {
    /// The changes of some steps.
    pub fn changes(steps: &[ConstantStep]) -> Vec<(Port, Arc<ChangeBatch>)> {
        let rows = steps.iter().flat_map(|step| &step.changes).map(|changes| (Port::Rows, Arc::new(changes.clone())));
        let errors =
            steps.iter().flat_map(|step| &step.errors).map(|changes| (Port::Errors, Arc::new(changes.clone())));
        rows.chain(errors).filter(|(_, changes)| !changes.is_empty()).collect()
    }
}

/// A dataflow's view of a feed.
pub(super) struct Tap {
    pub feed: FeedId,
    /// True while contents are read again for this dataflow.
    pub again: bool,
    /// True once its initial contents are complete.
    pub done: bool,
}
