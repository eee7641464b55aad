//! Contents for programs that come later: the source read again, or its log, exactly as far as the first reader had come.

use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::Sender;
use tidebook_plan::ChangeBatch;
use tidebook_plan::connector::{OpenRequest, SourceConnector, SourceError, SourceEvent};

use super::reader::{Line, Stopped, Threads};
use super::stored::StoredLog;
use crate::command::{DataflowId, FeedEvent, FeedId};
use crate::engine::EngineError;

/// How long a second reader waits for rows that are late.
const WAIT: Duration = Duration::from_millis(200);

/// How far to read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Again {
    /// For which dataflow.
    pub dataflow: DataflowId,
    /// Rows that the first reader had given.
    pub rows: u64,
    /// Errors that the first reader had given.
    pub errors: u64,
}

/// Reads a source again from its start. The sender stops it when dropped.
///
/// # Errors
/// Where the thread cannot be started.
pub(crate) fn read_again(
    threads: &mut Threads,
    feed: FeedId,
    connector: Arc<dyn SourceConnector>,
    request: OpenRequest,
    again: Again,
) -> Result<(Sender<()>, u64), EngineError> {
    let name = format!("{} again", request.spec.connector);
    threads.start(&name, feed, move |line| {
        // Being told to stop is no failure.
        let _ = repeat(connector.as_ref(), request, again, &line);
    })
}

fn repeat(connector: &dyn SourceConnector, request: OpenRequest, again: Again, line: &Line) -> Result<(), Stopped> {
    let dataflow = again.dataflow;
    let fail = |message: String| line.say(FeedEvent::AgainFailed { dataflow, message });
    let mut source = match connector.open(request) {
        Ok(source) => source,
        Err(error) => return fail(error.to_string()),
    };
    let (mut rows_left, mut errors_left) = (again.rows, again.errors);
    while rows_left > 0 || errors_left > 0 {
        if line.stops_within(Duration::ZERO) {
            return Err(Stopped);
        }
        match source.next(WAIT) {
            Ok(SourceEvent::Batch(batch)) => {
                let rows = first_rows(batch.rows, &mut rows_left);
                let errors = first_errors(batch.errors, &mut errors_left);
                line.say(FeedEvent::Again { dataflow, rows: Some(rows), errors })?;
            }
            // Only an input that cannot take back is read again.
            Ok(SourceEvent::Retract { .. }) => {}
            Ok(SourceEvent::Idle | SourceEvent::End) => {
                return fail(format!(
                    "the source no longer gives {} of the {} rows that it gave before",
                    rows_left + errors_left,
                    again.rows + again.errors
                ));
            }
            Err(error) if error.is_transient() => {
                if line.stops_within(WAIT) {
                    return Err(Stopped);
                }
            }
            Err(error) => return fail(error.to_string()),
        }
    }
    line.say(FeedEvent::AgainDone { dataflow })
}

/// At most so many rows of a batch.
fn first_rows(changes: ChangeBatch, left: &mut u64) -> ChangeBatch {
    let count = (*left).min(changes.len() as u64) as usize;
    *left -= count as u64;
    if count == changes.len() {
        return changes;
    }
    let diffs = changes.diffs.map(|mut diffs| {
        diffs.truncate(count);
        diffs
    });
    ChangeBatch { rows: changes.rows.slice(0, count), diffs }
}

fn first_errors(mut errors: Vec<SourceError>, left: &mut u64) -> Vec<SourceError> {
    errors.truncate((*left).min(errors.len() as u64) as usize);
    *left -= errors.len() as u64;
    errors
}

/// Gives the contents of a log. The sender stops it when dropped.
///
/// # Errors
/// Where the thread cannot be started.
pub(crate) fn replay(
    threads: &mut Threads,
    feed: FeedId,
    log: StoredLog,
    again: Again,
) -> Result<(Sender<()>, u64), EngineError> {
    threads.start("log", feed, move |line| {
        let dataflow = again.dataflow;
        let (mut rows_left, mut errors_left) = (again.rows, again.errors);
        let mut stopped = false;
        let outcome = log.read(|rows, errors| {
            let rows = first_rows(rows, &mut rows_left);
            let errors = first_errors(errors, &mut errors_left);
            stopped = line.say(FeedEvent::Again { dataflow, rows: Some(rows), errors }).is_err();
            !stopped && (rows_left > 0 || errors_left > 0)
        });
        let last = match outcome {
            Ok(()) if rows_left == 0 && errors_left == 0 => FeedEvent::AgainDone { dataflow },
            Ok(()) => {
                let message = format!("the log lacks {} rows", rows_left + errors_left);
                FeedEvent::AgainFailed { dataflow, message }
            }
            Err(error) => FeedEvent::AgainFailed { dataflow, message: error.to_string() },
        };
        if !stopped {
            // Being told to stop is no failure.
            let _ = line.say(last);
        }
    })
}
