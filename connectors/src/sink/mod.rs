//! Files as sinks. What is committed is visible at once and whole; what is not leaves no trace.

pub mod columnar;
pub mod csv;
mod current;
mod encode;
pub mod jsonl;
mod log;
mod part;
mod target;
mod upsert;

use tidebook_plan::connector::{
    ConnectorError, ConnectorSpec, OptionKind, OptionSpec, Sink, SinkConnector, SinkRequest, WriteMode,
};

use self::encode::Encoding;

/// A connector that writes a file of one format.
pub struct FileSink {
    spec: ConnectorSpec,
    encoding: Encoding,
}

impl SinkConnector for FileSink {
    fn spec(&self) -> &ConnectorSpec {
        &self.spec
    }

    fn open(&self, request: SinkRequest) -> Result<Box<dyn Sink>, ConnectorError> {
        Ok(match request.mode {
            WriteMode::Upsert => Box::new(upsert::UpsertFile::open(&request, self.encoding)?),
            WriteMode::Append | WriteMode::Changes => Box::new(log::LogFile::open(&request, self.encoding)?),
        })
    }
}

/// The options of every file sink.
fn options() -> Vec<OptionSpec> {
    vec![
        OptionSpec {
            name: "path",
            kind: OptionKind::Text,
            doc: "The file to write, relative to the notebook; folders that are missing are made.",
            default: None,
            required: true,
            positional: true,
            secret: false,
        },
        OptionSpec {
            name: "mode",
            kind: OptionKind::OneOf(&["upsert", "append", "changes"]),
            doc: "The current rows by key, rows added to a table that never retracts, or every change.",
            default: None,
            required: false,
            positional: false,
            secret: false,
        },
    ]
}
