//! The source `test.feed("name")`: its rows are those that a test hands in, batch by batch. With `only_adds: true` it
//! promises to take none back.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, unbounded};
use tidebook_plan::ChangeBatch;
use tidebook_plan::connector::{
    ConnectorError, ConnectorSpec, Contents, Direction, OpenRequest, OptionKind, OptionSpec, Options, Source,
    SourceBatch, SourceConnector, SourceEvent, SourceField,
};

/// The connector. All uses of one name share one channel: the engine opens each only once.
pub struct Feed {
    spec: ConnectorSpec,
    channels: Mutex<HashMap<String, (Sender<ChangeBatch>, Receiver<ChangeBatch>)>>,
}

impl Feed {
    /// A connector without channels.
    pub fn new() -> Arc<Feed> {
        let name = OptionSpec {
            name: "name",
            kind: OptionKind::Text,
            doc: "which channel",
            default: None,
            required: true,
            positional: true,
            secret: false,
        };
        let spec = ConnectorSpec {
            name: "test.feed",
            direction: Direction::Source,
            summary: "rows from a test",
            doc: "Rows that a test hands in.",
            options: vec![name, OptionSpec::optional("only_adds", OptionKind::Bool, "takes no row back")],
            examples: &[],
        };
        Arc::new(Feed { spec, channels: Mutex::default() })
    }

    /// Hands a batch to the readers of `name`; it is never split over epochs.
    pub fn send(&self, name: &str, changes: ChangeBatch) {
        let sender = self.channel(name).0;
        // The feed holds a receiver itself, so that the channel is never closed.
        let _ = sender.send(changes);
    }

    fn channel(&self, name: &str) -> (Sender<ChangeBatch>, Receiver<ChangeBatch>) {
        self.channels().entry(name.to_string()).or_insert_with(unbounded).clone()
    }

    fn channels(&self) -> MutexGuard<'_, HashMap<String, (Sender<ChangeBatch>, Receiver<ChangeBatch>)>> {
        self.channels.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl SourceConnector for Feed {
    fn spec(&self) -> &ConnectorSpec {
        &self.spec
    }

    fn describe(&self, _options: &Options, _base: &Path) -> Result<Vec<SourceField>, ConnectorError> {
        Err(ConnectorError::Missing { what: "a schema for `test.feed`".to_string() })
    }

    fn contents(&self, _options: &Options) -> Contents {
        Contents::Stored
    }

    fn only_adds(&self, options: &Options) -> bool {
        options.flag("only_adds")
    }

    fn is_bounded(&self, _options: &Options) -> bool {
        false
    }

    fn has_history(&self, _options: &Options) -> bool {
        false
    }

    fn open(&self, request: OpenRequest) -> Result<Box<dyn Source>, ConnectorError> {
        let name = request.spec.options.text("name").unwrap_or_default().to_string();
        Ok(Box::new(FeedSource { batches: self.channel(&name).1, given: 0 }))
    }
}

struct FeedSource {
    batches: Receiver<ChangeBatch>,
    given: u64,
}

impl Source for FeedSource {
    fn next(&mut self, wait: Duration) -> Result<SourceEvent, ConnectorError> {
        match self.batches.recv_timeout(wait) {
            Ok(rows) => {
                self.given += 1;
                let resume = serde_json::json!(self.given);
                Ok(SourceEvent::Batch(SourceBatch { rows, errors: Vec::new(), segment: None, resume }))
            }
            Err(RecvTimeoutError::Timeout) => Ok(SourceEvent::Idle),
            Err(RecvTimeoutError::Disconnected) => Ok(SourceEvent::End),
        }
    }
}
