//! Where changes leave a dataflow.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow_array::{ArrayRef, UInt64Array};
use arrow_select::concat::concat_batches;
use arrow_select::take::take;
use crossbeam_channel::Sender;
use hashbrown::HashMap;
use tidebook_plan::ChangeBatch;
use timely::container::CapacityContainerBuilder;
use timely::dataflow::Stream;
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::Capability;
use timely::dataflow::operators::generic::{Operator, OutputBuilderSession};

use crate::delta::{Rows, batch_of};
use crate::output::OutputEvent;
use crate::row::converter;

/// Rows of an epoch up to which they are gathered and cleared of what cancels; larger epochs pass as they come.
const GATHERED: usize = 1 << 16;

/// Sends what a program says, as long as there is someone who listens.
#[derive(Clone)]
pub(crate) struct OutputSender {
    events: Rc<RefCell<Option<Sender<OutputEvent>>>>,
    latest: Arc<AtomicU64>,
}

impl OutputSender {
    /// A sender into this channel; all workers of a program have one `latest`.
    pub fn new(events: Sender<OutputEvent>, latest: Arc<AtomicU64>) -> Self {
        OutputSender { events: Rc::new(RefCell::new(Some(events))), latest }
    }

    /// The latest epoch of changes that any worker has sent; 0 before any.
    pub fn latest(&self) -> u64 {
        self.latest.load(Ordering::SeqCst)
    }

    /// Sends an event; when the receiver is gone, nothing is sent any more.
    pub fn send(&self, event: OutputEvent) {
        if let OutputEvent::Changes { epoch, .. } = &event {
            self.latest.fetch_max(*epoch, Ordering::SeqCst);
        }
        let mut sender = self.events.borrow_mut();
        if sender.as_ref().is_some_and(|sender| sender.send(event).is_err()) {
            *sender = None;
        }
    }

    /// Sends nothing any more.
    pub fn close(&self) {
        *self.events.borrow_mut() = None;
    }

    fn is_open(&self) -> bool {
        self.events.borrow().is_some()
    }
}

/// Nothing flows out of an output but its frontier.
type NoOutput<'a> = OutputBuilderSession<'a, u64, CapacityContainerBuilder<Vec<()>>>;

/// Changes of an epoch that is not complete.
struct Gathered {
    /// Held until they are sent: the program's probe must not pass the epoch before, on any worker.
    _capability: Capability<u64>,
    batches: Vec<Arc<ChangeBatch>>,
    rows: usize,
}

/// Sends the rows to an output port. Gives a stream whose frontier says what was sent, and the operator's position in
/// its dataflow.
pub(super) fn deliver<'scope>(
    rows: Rows<'scope>,
    port: usize,
    output: &OutputSender,
    install: u64,
) -> (Stream<'scope, u64, Vec<()>>, usize) {
    let sender = output.clone();
    let mut position = 0;
    let done = rows.unary_frontier(Pipeline, "Output", |_capability, info| {
        position = info.local_id;
        let mut epochs: BTreeMap<u64, Gathered> = BTreeMap::new();
        move |(input, frontier), _output: &mut NoOutput<'_>| {
            let send = |epoch: u64, changes: Arc<ChangeBatch>| {
                if !changes.is_empty() {
                    let changes = Arc::unwrap_or_clone(changes);
                    sender.send(OutputEvent::Changes { port, epoch, changes });
                }
            };
            input.for_each(|capability, deltas| {
                for delta in deltas.drain(..) {
                    if !sender.is_open() {
                        continue;
                    }
                    debug_assert!(delta.epoch >= install, "nothing is older than its dataflow");
                    let gathered = epochs.entry(delta.epoch).or_insert_with(|| Gathered {
                        _capability: capability.delayed(&delta.epoch, 0),
                        batches: Vec::new(),
                        rows: 0,
                    });
                    gathered.rows += delta.changes.len();
                    gathered.batches.push(delta.changes);
                    if gathered.rows > GATHERED {
                        gathered.batches.drain(..).for_each(|changes| send(delta.epoch, changes));
                    }
                }
            });
            while let Some((epoch, _)) = epochs.first_key_value() {
                let epoch = *epoch;
                if frontier.less_equal(&epoch) {
                    break;
                }
                let Some(gathered) = epochs.remove(&epoch) else { break };
                cleared(gathered.batches).into_iter().for_each(|changes| send(epoch, changes));
            }
        }
    });
    (done, position)
}

/// The batches without rows that cancel each other.
pub(super) fn cleared(batches: Vec<Arc<ChangeBatch>>) -> Vec<Arc<ChangeBatch>> {
    let takes_back =
        |changes: &Arc<ChangeBatch>| changes.diffs.as_ref().is_some_and(|diffs| diffs.iter().any(|d| *d < 0));
    if !batches.iter().any(takes_back) {
        return batches;
    }
    let Some(first) = batches.first() else { return batches };
    let schema = first.rows.schema();
    let rows = match concat_batches(&schema, batches.iter().map(|changes| &changes.rows)) {
        Ok(rows) => rows,
        Err(error) => panic!("batches of one output have one schema: {error}"),
    };
    let diffs: Vec<i64> = batches.iter().flat_map(|changes| (0..changes.len()).map(|i| changes.diff(i))).collect();
    if rows.num_columns() == 0 {
        let sum = diffs.iter().sum::<i64>();
        let rows = batch_of(&schema, Vec::new(), usize::from(sum != 0));
        let diffs = if sum == 0 { Vec::new() } else { vec![sum] };
        return vec![Arc::new(ChangeBatch::new(rows, diffs))];
    }
    let encoded = match converter(schema.fields().iter().map(|f| f.data_type())).convert_columns(rows.columns()) {
        Ok(encoded) => encoded,
        Err(error) => panic!("every type of the language has a row format: {error}"),
    };
    let mut sums: HashMap<&[u8], (usize, i64)> = HashMap::with_capacity(diffs.len());
    for (i, diff) in diffs.iter().enumerate() {
        sums.entry(encoded.row(i).data()).or_insert((i, 0)).1 += diff;
    }
    let mut kept: Vec<(usize, i64)> = sums.into_values().filter(|(_, sum)| *sum != 0).collect();
    // What is taken back comes first, else in the order of arrival.
    kept.sort_unstable_by_key(|(i, sum)| (*sum > 0, *i));
    let positions: UInt64Array = kept.iter().map(|(i, _)| *i as u64).collect();
    let columns: Vec<ArrayRef> = rows
        .columns()
        .iter()
        .map(|column| match take(column, &positions, None) {
            Ok(column) => column,
            Err(error) => panic!("kept rows are rows of the batch: {error}"),
        })
        .collect();
    let rows = batch_of(&schema, columns, kept.len());
    vec![Arc::new(ChangeBatch::new(rows, kept.into_iter().map(|(_, sum)| sum).collect()))]
}
