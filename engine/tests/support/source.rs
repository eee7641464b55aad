//! A source whose script the test writes while it runs.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use arrow_schema::DataType;
use tidebook_plan::connector::{
    ConnectorError, ConnectorSpec, Contents, Direction, OpenRequest, Options, Source, SourceBatch, SourceConnector,
    SourceError, SourceEvent, SourceField, SourceSpec,
};
use tidebook_plan::flow::{FlowBuilder, NodeId, Operator};
use tidebook_plan::types::{ColumnType, Type};
use tidebook_plan::{ChangeBatch, Span};

use super::{Row, changes};

#[derive(Default)]
struct Script {
    events: Mutex<Vec<Result<SourceEvent, String>>>,
    written: Condvar,
    /// While true, nothing more to read is not said to be everything.
    busy: AtomicBool,
    opened: AtomicUsize,
    alive: AtomicUsize,
    /// A second reader finds only so many events.
    lost: AtomicUsize,
}

pub struct Scripted {
    spec: ConnectorSpec,
    contents: Contents,
    bounded: bool,
    history: bool,
    only_adds: bool,
    script: Arc<Script>,
}

/// Types of the rows of every scripted source: `int`, `text`.
pub fn source_types() -> Vec<DataType> {
    vec![DataType::Int64, DataType::Utf8]
}

impl Scripted {
    pub fn new(name: &'static str, contents: Contents) -> Scripted {
        let spec = ConnectorSpec {
            name,
            direction: Direction::Source,
            summary: "a script",
            doc: "",
            options: Vec::new(),
            examples: &[],
        };
        Scripted { spec, contents, bounded: false, history: true, only_adds: false, script: Arc::default() }
    }

    pub fn bounded(mut self) -> Self {
        self.bounded = true;
        self
    }

    pub fn without_history(mut self) -> Self {
        self.history = false;
        self
    }

    /// Takes no row back.
    pub fn only_adding(mut self) -> Self {
        self.only_adds = true;
        self
    }

    /// As busy as a source with more to come at once.
    pub fn busy(self) -> Self {
        self.script.busy.store(true, Ordering::SeqCst);
        self
    }

    pub fn pen(&self) -> Pen {
        Pen { script: Arc::clone(&self.script) }
    }
}

/// Writes the script.
#[derive(Clone)]
pub struct Pen {
    script: Arc<Script>,
}

impl Pen {
    pub fn event(&self, event: SourceEvent) {
        self.script.events.lock().unwrap().push(Ok(event));
        self.script.written.notify_all();
    }

    pub fn fail(&self, message: &str) {
        self.script.events.lock().unwrap().push(Err(message.to_string()));
        self.script.written.notify_all();
    }

    pub fn batch(&self, segment: Option<u64>, rows: &[(Row, i64)], errors: usize) {
        let position = self.script.events.lock().unwrap().len();
        let error = |i| SourceError {
            origin: Some("script".to_string()),
            position: Some(i as i64),
            text: None,
            message: "not a row".to_string(),
        };
        let batch = SourceBatch {
            rows: changes(&source_types(), rows),
            errors: (0..errors).map(error).collect(),
            segment,
            resume: serde_json::json!(position + 1),
        };
        self.event(SourceEvent::Batch(batch));
    }

    pub fn rows(&self, rows: &[Row]) {
        self.batch(None, &rows.iter().cloned().map(|row| (row, 1)).collect::<Vec<_>>(), 0);
    }

    pub fn not_busy(&self) {
        self.script.busy.store(false, Ordering::SeqCst);
    }

    pub fn opened(&self) -> usize {
        self.script.opened.load(Ordering::SeqCst)
    }

    /// Readers that are open now.
    pub fn alive(&self) -> usize {
        self.script.alive.load(Ordering::SeqCst)
    }

    /// The input loses what it held, all but so many events.
    pub fn lose_all_but(&self, events: usize) {
        self.script.lost.store(events + 1, Ordering::SeqCst);
    }
}

struct Reader {
    script: Arc<Script>,
    position: usize,
    lost: usize,
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.script.alive.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Source for Reader {
    fn next(&mut self, wait: Duration) -> Result<SourceEvent, ConnectorError> {
        let events = self.script.events.lock().unwrap();
        let position = self.position;
        let (events, _) =
            self.script.written.wait_timeout_while(events, wait, |events| events.len() <= position).unwrap();
        if self.lost > 0 && position + 1 >= self.lost {
            return Ok(SourceEvent::End);
        }
        match events.get(position) {
            Some(event) => {
                self.position += 1;
                event.clone().map_err(|message| ConnectorError::Missing { what: message })
            }
            None if self.script.busy.load(Ordering::SeqCst) => Ok(SourceEvent::Batch(SourceBatch {
                rows: ChangeBatch::inserts(super::batch(&source_types(), &[])),
                errors: Vec::new(),
                segment: None,
                resume: serde_json::json!(position),
            })),
            None => Ok(SourceEvent::Idle),
        }
    }
}

impl SourceConnector for Scripted {
    fn spec(&self) -> &ConnectorSpec {
        &self.spec
    }

    fn describe(&self, _: &Options, _: &std::path::Path) -> Result<Vec<SourceField>, ConnectorError> {
        Ok(fields())
    }

    fn contents(&self, _: &Options) -> Contents {
        self.contents
    }

    fn only_adds(&self, _: &Options) -> bool {
        self.only_adds
    }

    fn is_bounded(&self, _: &Options) -> bool {
        self.bounded
    }

    fn has_history(&self, _: &Options) -> bool {
        self.history
    }

    fn open(&self, request: OpenRequest) -> Result<Box<dyn Source>, ConnectorError> {
        let again = request.repeats.is_some();
        self.script.opened.fetch_add(1, Ordering::SeqCst);
        self.script.alive.fetch_add(1, Ordering::SeqCst);
        let lost = if again { self.script.lost.load(Ordering::SeqCst) } else { 0 };
        Ok(Box::new(Reader { script: Arc::clone(&self.script), position: 0, lost }))
    }
}

fn fields() -> Vec<SourceField> {
    let field = |name: &str, ty| SourceField {
        name: name.to_string(),
        ty: ColumnType::nullable(ty),
        wire_name: None,
        default: None,
    };
    vec![field("id", Type::Int), field("name", Type::Text)]
}

/// Reads the scripted source of this name.
pub fn get(builder: &mut FlowBuilder, name: &str, key: Vec<usize>) -> NodeId {
    let source = SourceSpec {
        connector: name.to_string(),
        options: Options::default(),
        fields: fields(),
        key,
        generation: 0,
        base: std::path::PathBuf::new(),
        selection: Default::default(),
    };
    builder.add(Operator::Get { source: Arc::new(source) }, source_types(), Span::default(), "read")
}
