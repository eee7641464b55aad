//! `demo.replay`: the rows of a file, in the order and at the pace of its time column.

use std::path::Path;

use tidebook_plan::Type;
use tidebook_plan::connector::{
    ConnectorError, ConnectorSpec, Contents, Direction, OpenRequest, OptionKind, OptionSpec, OptionValue, Options,
    Source, SourceConnector, SourceField,
};

use super::replay_reader::Replay;
use crate::files::{BoundedFiles, FileFormat, FilePattern, describe};
use crate::format::csv::Csv;
use crate::format::jsonl::Jsonl;

/// The connector.
pub fn source() -> ReplaySource {
    let spec = ConnectorSpec {
        name: "demo.replay",
        direction: Direction::Source,
        summary: "A file replayed by its time column, as if it happened now.",
        doc: "\
Reads a file of CSV (`.csv`, also compressed as `.csv.gz` or `.csv.zst`) or JSON lines (any other name), sorts it by the column `time` (a timestamp or a date), and \
gives each row when its time has come: the first at once, a row that is 10 seconds later after 10 seconds divided by \
`speed`. Rows of one time come together, rows without a time come first. The stream ends with the file. The whole file is \
held in memory.",
        options: vec![
            OptionSpec {
                name: "path",
                kind: OptionKind::Text,
                doc: "The file, or files by wildcards, relative to the notebook.",
                default: None,
                required: true,
                positional: true,
                secret: false,
            },
            OptionSpec {
                name: "time",
                kind: OptionKind::Column,
                doc: "The column that says when a row happened.",
                default: None,
                required: true,
                positional: false,
                secret: false,
            },
            OptionSpec {
                name: "speed",
                kind: OptionKind::Float,
                doc: "How many times faster than it happened.",
                default: Some(OptionValue::Float(1.0)),
                required: false,
                positional: false,
                secret: false,
            },
        ],
        examples: &["trades = read demo.replay(\"ticks.csv\", time: at, speed: 10)"],
    };
    ReplaySource { spec }
}

/// Replays files.
pub struct ReplaySource {
    spec: ConnectorSpec,
}

fn file(options: &Options, base: &Path) -> Result<(FilePattern, FileFormat), ConnectorError> {
    let path = options.text("path").unwrap_or_default();
    let plain = path.to_ascii_lowercase();
    let plain = plain.trim_end_matches(".gz").trim_end_matches(".zst");
    let format = FileFormat::Stream(if plain.ends_with(".csv") { &Csv } else { &Jsonl });
    Ok((FilePattern::new(path, base)?, format))
}

impl SourceConnector for ReplaySource {
    fn spec(&self) -> &ConnectorSpec {
        &self.spec
    }

    fn describe(&self, options: &Options, base: &Path) -> Result<Vec<SourceField>, ConnectorError> {
        let (pattern, format) = file(options, base)?;
        describe(format, &pattern, options)
    }

    fn contents(&self, _: &Options) -> Contents {
        Contents::Stored
    }

    fn only_adds(&self, _: &Options) -> bool {
        true
    }

    fn is_bounded(&self, _: &Options) -> bool {
        true
    }

    fn has_history(&self, _: &Options) -> bool {
        false
    }

    fn open(&self, request: OpenRequest) -> Result<Box<dyn Source>, ConnectorError> {
        let spec = &request.spec;
        let speed = spec.options.float("speed").unwrap_or(1.0);
        if speed.is_nan() || speed <= 0.0 {
            return Err(ConnectorError::Option {
                option: "speed",
                message: format!("expected more than 0, found {speed}"),
            });
        }
        let name = spec.options.text("time").unwrap_or_default();
        let time = spec.fields.iter().position(|field| field.name == name).ok_or_else(|| {
            let names: Vec<_> = spec.fields.iter().map(|field| format!("`{}`", field.name)).collect();
            let message = format!("there is no column `{name}`, only {}", names.join(", "));
            ConnectorError::Option { option: "time", message }
        })?;
        let ty = &spec.fields[time].ty.ty;
        if !matches!(ty, Type::Timestamp | Type::Date) {
            let message = format!("expected a timestamp or a date, `{name}` is {ty}");
            return Err(ConnectorError::Option { option: "time", message });
        }
        let (pattern, format) = file(&spec.options, &spec.base)?;
        let schema = spec.schema().to_arrow();
        let files =
            BoundedFiles::open(OpenRequest { spec: spec.clone(), repeats: None, beside: None }, format, pattern)?;
        Ok(Box::new(Replay::load(files, schema, time, speed)?))
    }
}
