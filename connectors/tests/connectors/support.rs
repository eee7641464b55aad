//! Opening connectors by name, and collecting what they say.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tidebook_connectors::format::value::json_value;
use tidebook_connectors::registry;
use tidebook_plan::connector::{
    ConnectorError, OpenRequest, OptionValue, Options, Resume, Sink, SinkConnector, SinkRequest, Source,
    SourceConnector, SourceError, SourceEvent, SourceField, SourceSpec, WriteMode,
};
use tidebook_plan::{ChangeBatch, ColumnType, Schema, Type};

/// Options, with the defaults of the connector filled in.
pub fn options(spec: &tidebook_plan::connector::ConnectorSpec, given: &[(&str, OptionValue)]) -> Options {
    let defaults = spec.options.iter().filter_map(|option| Some((option.name.to_string(), option.default.clone()?)));
    let given = given.iter().map(|(name, value)| ((*name).to_string(), value.clone()));
    Options(defaults.chain(given).collect())
}

/// Text as the value of an option.
pub fn text(value: &str) -> OptionValue {
    OptionValue::Text(value.to_string())
}

/// The source connector `name`.
pub fn source(name: &str) -> Arc<dyn SourceConnector> {
    registry::sources().into_iter().find(|source| source.spec().name == name).unwrap()
}

/// The sink connector `name`.
pub fn sink(name: &str) -> Arc<dyn SinkConnector> {
    registry::sinks().into_iter().find(|sink| sink.spec().name == name).unwrap()
}

/// Columns that must be there.
pub fn columns(columns: &[(&str, Type)]) -> Vec<SourceField> {
    let field = |(name, ty): &(&str, Type)| SourceField {
        name: (*name).to_string(),
        ty: ColumnType::required(ty.clone()),
        wire_name: None,
        default: None,
    };
    columns.iter().map(field).collect()
}

/// A use of the source `name` on files in `base`. Without columns it describes itself.
pub fn spec(name: &str, base: &Path, given: &[(&str, OptionValue)], fields: Option<Vec<SourceField>>) -> SourceSpec {
    let connector = source(name);
    let options = options(connector.spec(), given);
    let fields = fields.unwrap_or_else(|| connector.describe(&options, base).unwrap());
    SourceSpec {
        connector: name.to_string(),
        options,
        fields,
        key: vec![],
        generation: 0,
        base: base.to_path_buf(),
        selection: Default::default(),
    }
}

/// Opens a use of a source.
pub fn open(spec: &SourceSpec, repeats: Option<Resume>) -> Result<Box<dyn Source>, ConnectorError> {
    source(&spec.connector).open(OpenRequest { spec: spec.clone(), repeats, beside: None })
}

/// The rows of a batch as JSON arrays.
pub fn json_rows(spec: &SourceSpec, changes: &ChangeBatch) -> Vec<Value> {
    let columns = spec.fields.iter().zip(changes.rows.columns());
    let columns: Vec<_> = columns.collect();
    let value =
        |row: usize| columns.iter().map(|(field, array)| json_value(array.as_ref(), row, &field.ty.ty)).collect();
    (0..changes.len()).map(value).collect()
}

/// What a source gives until it ends.
#[derive(Debug, Default)]
pub struct Read {
    pub rows: Vec<Value>,
    pub errors: Vec<SourceError>,
    /// For each batch the rows up to and with it, and where the source stood then.
    pub stands: Vec<(usize, Resume)>,
}

/// Reads until the end.
pub fn read_all(spec: &SourceSpec, repeats: Option<Resume>) -> Result<Read, ConnectorError> {
    let mut source = open(spec, repeats)?;
    let mut read = Read::default();
    loop {
        match source.next(Duration::from_secs(10))? {
            SourceEvent::Batch(batch) => {
                read.rows.extend(json_rows(spec, &batch.rows));
                read.errors.extend(batch.errors);
                read.stands.push((read.rows.len(), batch.resume));
            }
            SourceEvent::End => return Ok(read),
            other => panic!("a bounded source only gives rows: {other:?}"),
        }
    }
}

/// Position and message of errors.
pub fn messages(errors: &[SourceError]) -> Vec<(&str, i64, &str)> {
    let parts = |e: &'_ SourceError| e.position.unwrap_or(0);
    errors.iter().map(|e| (e.origin.as_deref().unwrap_or(""), parts(e), e.message.as_str())).collect()
}

/// Opens the sink `name` on `path` in `base`.
pub fn open_sink(
    name: &str,
    base: &Path,
    path: &str,
    schema: &Schema,
    mode: WriteMode,
) -> Result<Box<dyn Sink>, ConnectorError> {
    let connector = sink(name);
    let options = options(connector.spec(), &[("path", text(path))]);
    let (schema, base) = (schema.clone(), base.to_path_buf());
    connector.open(SinkRequest { connector: name.to_string(), options, schema, mode, base })
}
