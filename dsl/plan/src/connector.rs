//! What a connector is: a [`ConnectorSpec`] (name, typed options, documentation) and something that opens
//! [`Source`]s or [`Sink`]s. Implementations live in `tidebook-connectors`; the engine runs them.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use datafusion_common::ScalarValue;
use serde::{Deserialize, Serialize};

use crate::change::ChangeBatch;
use crate::schema::{Column, Schema};
use crate::selection::Selection;
use crate::types::{ColumnType, Type};

/// What kind of literal an option takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptionKind {
    /// Text.
    Text,
    /// A whole number.
    Int,
    /// A number.
    Float,
    /// `true` or `false`.
    Bool,
    /// A duration, kept in microseconds.
    Duration,
    /// The name of a column, written bare.
    Column,
    /// One of these words, written bare or quoted.
    OneOf(&'static [&'static str]),
    /// One text or a list of texts.
    Texts,
    /// The names of columns, written bare: one or a list.
    Columns,
}

/// One option of a connector.
#[derive(Clone, Debug)]
pub struct OptionSpec {
    /// Its name.
    pub name: &'static str,
    /// What it takes.
    pub kind: OptionKind,
    /// One line of documentation.
    pub doc: &'static str,
    /// The value where none is given; `None` leaves the option unset.
    pub default: Option<OptionValue>,
    /// True if it must be given.
    pub required: bool,
    /// True if it may be given by position, before every named one, in the order of the spec.
    pub positional: bool,
    /// True if its value is never shown, logged or saved.
    pub secret: bool,
}

impl OptionSpec {
    /// An option that may be left out, and is unset then.
    pub const fn optional(name: &'static str, kind: OptionKind, doc: &'static str) -> OptionSpec {
        OptionSpec { name, kind, doc, default: None, required: false, positional: false, secret: false }
    }

    /// The same option with a value where none is given.
    #[must_use]
    pub fn or(self, default: OptionValue) -> OptionSpec {
        OptionSpec { default: Some(default), ..self }
    }
}

/// A checked value of an option.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub enum OptionValue {
    /// Text, a column's name or a word of [`OptionKind::OneOf`].
    Text(String),
    /// Text that came from `env(…)` or belongs to a secret option.
    Secret(String),
    /// A whole number.
    Int(i64),
    /// A number.
    Float(f64),
    /// `true` or `false`.
    Bool(bool),
    /// Microseconds.
    Duration(i64),
    /// Several texts.
    Texts(Vec<String>),
}

impl fmt::Debug for OptionValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OptionValue::Text(text) => write!(f, "{text:?}"),
            OptionValue::Secret(_) => f.write_str("***"),
            OptionValue::Int(value) => write!(f, "{value}"),
            OptionValue::Float(value) => write!(f, "{value}"),
            OptionValue::Bool(value) => write!(f, "{value}"),
            OptionValue::Duration(micros) => write!(f, "{micros}us"),
            OptionValue::Texts(texts) => write!(f, "{texts:?}"),
        }
    }
}

/// The options of one use of a connector, checked against its spec, with defaults filled in.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Options(pub BTreeMap<String, OptionValue>);

impl Options {
    /// The value of `name`, if set.
    pub fn get(&self, name: &str) -> Option<&OptionValue> {
        self.0.get(name)
    }

    /// The text of `name`, a secret's included.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.0.get(name) {
            Some(OptionValue::Text(text) | OptionValue::Secret(text)) => Some(text),
            _ => None,
        }
    }

    /// The texts of `name`: several, one or none.
    pub fn texts(&self, name: &str) -> Vec<&str> {
        match self.0.get(name) {
            Some(OptionValue::Texts(texts)) => texts.iter().map(String::as_str).collect(),
            _ => self.text(name).into_iter().collect(),
        }
    }

    /// The whole number `name`.
    pub fn int(&self, name: &str) -> Option<i64> {
        match self.0.get(name) {
            Some(OptionValue::Int(value)) => Some(*value),
            _ => None,
        }
    }

    /// The number `name`; a whole number counts.
    pub fn float(&self, name: &str) -> Option<f64> {
        match self.0.get(name) {
            Some(OptionValue::Float(value)) => Some(*value),
            Some(OptionValue::Int(value)) => Some(*value as f64),
            _ => None,
        }
    }

    /// The flag `name`; unset is false.
    pub fn flag(&self, name: &str) -> bool {
        matches!(self.0.get(name), Some(OptionValue::Bool(true)))
    }

    /// The duration `name`.
    pub fn duration(&self, name: &str) -> Option<Duration> {
        match self.0.get(name) {
            Some(OptionValue::Duration(micros)) => Some(Duration::from_micros((*micros).max(0) as u64)),
            _ => None,
        }
    }
}

/// Whether a connector reads or writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// A head: `read NAME(…)`.
    Source,
    /// A step: `write NAME(…)`.
    Sink,
}

/// How a reader that comes later gets the full contents of a source (decision 6 of the design).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contents {
    /// The engine keeps the source's current rows, since it needs them to retract.
    Held,
    /// A second reader runs from the start up to where the first one is.
    Reread,
    /// What arrived is kept in a log on local disk.
    Stored,
}

/// What a connector is called, takes and promises: the one source of its checks, completion and reference page.
#[derive(Clone, Debug)]
pub struct ConnectorSpec {
    /// Its name in Tide (`csv`, `demo.ticks`).
    pub name: &'static str,
    /// Reads or writes.
    pub direction: Direction,
    /// One line: what it is.
    pub summary: &'static str,
    /// Paragraphs of Markdown: semantics, guarantees, limits.
    pub doc: &'static str,
    /// Its options, positional ones first.
    pub options: Vec<OptionSpec>,
    /// Complete Tide statements that use it.
    pub examples: &'static [&'static str],
}

/// A column as a source is to deliver it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SourceField {
    /// Name in the table.
    pub name: String,
    /// Type in the table.
    pub ty: ColumnType,
    /// Name in the input, where it differs (`from "wire name"`).
    pub wire_name: Option<String>,
    /// Value where the input has none.
    #[serde(skip)]
    pub default: Option<ScalarValue>,
}

impl SourceField {
    /// What the field is called in the input.
    pub fn wire_name(&self) -> &str {
        self.wire_name.as_deref().unwrap_or(&self.name)
    }
}

/// One use of a source in a program: its identity, and all that is needed to open it.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceSpec {
    /// Name of the connector.
    pub connector: String,
    /// Its checked options.
    pub options: Options,
    /// Columns to deliver, in order: declared by the user, or what the source described.
    pub fields: Vec<SourceField>,
    /// Positions of the key's columns; with a key, a later row replaces the earlier one of its key.
    pub key: Vec<usize>,
    /// Raised each time that the defining statement runs again, so that running it again reads again.
    pub generation: u64,
    /// The folder that relative paths start from.
    pub base: PathBuf,
    /// The part of the fields and rows that is read.
    pub selection: Selection,
}

impl SourceSpec {
    /// The schema of the rows: of those fields that are selected.
    pub fn schema(&self) -> Schema {
        let columns = self.columns();
        match &self.selection.columns {
            Some(selected) => {
                Schema { columns: selected.iter().map(|i| columns[*i].clone()).collect(), key: Vec::new() }
            }
            None => Schema { columns, key: self.key.clone() },
        }
    }

    /// All fields as columns, selected or not.
    pub fn columns(&self) -> Vec<Column> {
        self.fields.iter().map(|f| Column { name: f.name.clone(), ty: f.ty.clone() }).collect()
    }

    /// True if both read the same input, though perhaps other parts of it.
    pub fn reads_what(&self, other: &SourceSpec) -> bool {
        let whole = |spec: &SourceSpec| SourceSpec { selection: Selection::default(), ..spec.clone() };
        whole(self) == whole(other)
    }

    /// A text that is the same exactly if two uses read the same rows; it contains secrets: hash it, never show it.
    pub fn identity(&self) -> String {
        let defaults: Vec<_> = self.fields.iter().map(|f| f.default.as_ref().map(|d| format!("{d:?}"))).collect();
        let parts = serde_json::json!([
            self.connector,
            self.options,
            self.fields,
            defaults,
            self.key,
            self.generation,
            self.base,
            self.selection.identity()
        ]);
        parts.to_string()
    }
}

/// A piece of input that could not become a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceError {
    /// File, topic or address that it came from.
    pub origin: Option<String>,
    /// One-based line or position there.
    pub position: Option<i64>,
    /// The piece itself, shortened to at most 1,000 characters.
    pub text: Option<String>,
    /// What is wrong with it.
    pub message: String,
}

/// The columns of a source's own errors, before `_error` and `_step`: `file`, `line`, `text`.
pub fn source_error_schema() -> Schema {
    Schema::new([
        ("file".to_string(), ColumnType::nullable(Type::Text)),
        ("line".to_string(), ColumnType::nullable(Type::Int)),
        ("text".to_string(), ColumnType::nullable(Type::Text)),
    ])
}

/// Where a source stands: enough to open it again there. Its content is the connector's own.
pub type Resume = serde_json::Value;

/// Rows that arrived together; never split over epochs.
#[derive(Clone, Debug)]
pub struct SourceBatch {
    /// Rows in the order and types of [`SourceSpec::schema`]. For a keyed source a negative difference
    /// deletes its row's key, whatever the other columns are.
    pub rows: ChangeBatch,
    /// Pieces that could not become rows.
    pub errors: Vec<SourceError>,
    /// The part of the input (a file) that the rows belong to, where parts can be taken back by
    /// [`SourceEvent::Retract`].
    pub segment: Option<u64>,
    /// Where the source stands after these rows.
    pub resume: Resume,
}

/// What a source says next.
#[derive(Clone, Debug)]
pub enum SourceEvent {
    /// Rows.
    Batch(SourceBatch),
    /// All rows and errors of a segment are taken back (its file changed or went away). If new rows of the
    /// segment follow, `followed` is true, and both belong to one epoch.
    Retract {
        /// The segment.
        segment: u64,
        /// True if the segment's new rows come next.
        followed: bool,
    },
    /// Everything that the input holds at this moment has been given.
    Idle,
    /// There will never be more.
    End,
}

/// A running reader. One thread calls it.
pub trait Source: Send {
    /// What comes next; waits at most `wait` before it says [`SourceEvent::Idle`].
    ///
    /// # Errors
    /// A transient error ([`ConnectorError::is_transient`]) is tried again; any other ends the source.
    fn next(&mut self, wait: Duration) -> Result<SourceEvent, ConnectorError>;

    /// Looks at the input now (lists folders, compares sizes), so that the next [`SourceEvent::Idle`] is
    /// true of this moment.
    fn refresh(&mut self) {}
}

/// How a source is opened.
#[derive(Clone, Debug)]
pub struct OpenRequest {
    /// What to read.
    pub spec: SourceSpec,
    /// Where an earlier reader of the same spec stands. Given to a second reader that repeats the first one's
    /// rows from the start, so that it can tell whether the input is still the same; it ends by itself no
    /// earlier than there.
    pub repeats: Option<Resume>,
    /// Where a reader of another selection of the same input stands, if there is one: what both read has to be the
    /// same, since both are one table.
    pub beside: Option<Resume>,
}

/// A connector that reads.
pub trait SourceConnector: Send + Sync {
    /// Its description.
    fn spec(&self) -> &ConnectorSpec;

    /// Columns that the source itself declares or that a sample shows, for a use without a schema.
    ///
    /// # Errors
    /// Where the input is missing, unreadable or does not say (the message asks for a schema).
    fn describe(&self, options: &Options, base: &std::path::Path) -> Result<Vec<SourceField>, ConnectorError>;

    /// How later readers get the contents.
    fn contents(&self, options: &Options) -> Contents;

    /// True if it makes use of a [`Selection`], so that reading a part of it is cheaper than sharing one reader of
    /// everything. Such a source is reread, and has no key.
    fn selects(&self, _options: &Options) -> bool {
        false
    }

    /// True if no row that it gives is ever taken back, neither by a negative difference nor with its segment: of an order
    /// then only the rows are kept that are asked for.
    fn only_adds(&self, _options: &Options) -> bool {
        false
    }

    /// True if it ends by itself.
    fn is_bounded(&self, options: &Options) -> bool;

    /// True if the input may hold rows at the moment that it is opened (a file does; a generator does not).
    fn has_history(&self, _options: &Options) -> bool {
        true
    }

    /// Opens a reader at the start of the input.
    ///
    /// # Errors
    /// Where the input cannot be read.
    fn open(&self, request: OpenRequest) -> Result<Box<dyn Source>, ConnectorError>;
}

/// What of a table a sink writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WriteMode {
    /// The target holds the table's current rows, one a key.
    Upsert,
    /// Rows are added; the table never retracts.
    Append,
    /// Every change, with `_epoch` and `_diff`.
    Changes,
}

/// How a sink is opened.
#[derive(Clone, Debug)]
pub struct SinkRequest {
    /// Name of the connector.
    pub connector: String,
    /// Its checked options.
    pub options: Options,
    /// The table's columns and key.
    pub schema: Schema,
    /// What to write.
    pub mode: WriteMode,
    /// The folder that relative paths start from.
    pub base: PathBuf,
}

/// A running writer. One thread calls it, in the order of the epochs.
pub trait Sink: Send {
    /// Takes changes of an epoch; nothing is visible in the target yet.
    ///
    /// # Errors
    /// Where the target cannot take them.
    fn write(&mut self, epoch: u64, changes: &ChangeBatch) -> Result<(), ConnectorError>;

    /// Makes all changes up to and including `epoch` visible, at once.
    ///
    /// # Errors
    /// Where the target cannot; it is then as it was before.
    fn commit(&mut self, epoch: u64) -> Result<(), ConnectorError>;
}

/// A connector that writes.
pub trait SinkConnector: Send + Sync {
    /// Its description.
    fn spec(&self) -> &ConnectorSpec;

    /// What is written, such that two sinks with equal targets would undo each other's work. `None` where a target may have
    /// several writers.
    fn target(&self, request: &SinkRequest) -> Option<String> {
        let _ = request;
        None
    }

    /// Opens a writer.
    ///
    /// # Errors
    /// Where the target cannot be written.
    fn open(&self, request: SinkRequest) -> Result<Box<dyn Sink>, ConnectorError>;
}

/// What goes wrong in a connector.
#[derive(Debug, thiserror::Error)]
pub enum ConnectorError {
    /// A file or an address that is not there.
    #[error("`{what}` does not exist")]
    Missing {
        /// Path or address.
        what: String,
    },
    /// The operating system refused.
    #[error("cannot {action} `{what}`: {source}")]
    Io {
        /// `read`, `write`, …
        action: &'static str,
        /// Path or address.
        what: String,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The input is not what its format says.
    #[error("`{what}`: {message}")]
    Format {
        /// Path or address.
        what: String,
        /// What is wrong.
        message: String,
    },
    /// An option has a value that makes no sense here.
    #[error("option `{option}`: {message}")]
    Option {
        /// The option.
        option: &'static str,
        /// What is wrong.
        message: String,
    },
    /// The input no longer has rows that it once gave.
    #[error("`{what}` no longer has what was read from it: {message}")]
    Changed {
        /// Path or address.
        what: String,
        /// What changed, and since when.
        message: String,
    },
}

impl ConnectorError {
    /// True if trying again may help.
    pub fn is_transient(&self) -> bool {
        use std::io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
        matches!(self, ConnectorError::Io { source, .. } if matches!(source.kind(), Interrupted | TimedOut | WouldBlock))
    }
}
