//! The readers of formats: whatever the bytes are and however they arrive, the same rows and errors come out.

use serde_json::Value;
use tidebook_connectors::format::csv::Csv;
use tidebook_connectors::format::json::Json;
use tidebook_connectors::format::jsonl::Jsonl;
use tidebook_connectors::format::text::Text;
use tidebook_connectors::format::value::json_value;
use tidebook_connectors::format::{Position, RowBuffer, Sample, StreamFormat};
use tidebook_plan::connector::{OptionValue, Options, SourceField, SourceSpec};
use tidebook_plan::{ColumnType, Type};

/// CSV; the first byte says which options and how large the pieces are.
pub fn csv(data: &[u8]) {
    let Some((choice, data)) = data.split_first() else { return };
    let mut options = Vec::new();
    if choice & 1 != 0 {
        options.push(("header", OptionValue::Bool(false)));
    }
    if choice & 2 != 0 {
        options.push(("delimiter", OptionValue::Text(";".to_string())));
    }
    if choice & 4 != 0 {
        options.push(("nulls", OptionValue::Text("NA".to_string())));
    }
    if choice & 8 != 0 {
        options.push(("escape", OptionValue::Text("\\".to_string())));
        options.push(("trim", OptionValue::Bool(true)));
    }
    if choice & 16 != 0 {
        options.push(("comment", OptionValue::Text("#".to_string())));
        options.push(("ragged", OptionValue::Text("fill".to_string())));
        options.push(("skip_blank_lines", OptionValue::Bool(false)));
    }
    if choice & 32 != 0 {
        options.push(("delimiter", OptionValue::Text("||".to_string())));
        options.push(("skip", OptionValue::Int(1)));
    }
    if choice & 64 != 0 {
        options.push(("decimal", OptionValue::Text(",".to_string())));
        options.push(("thousands", OptionValue::Text(".".to_string())));
        options.push(("date_format", OptionValue::Text("%d.%m.%Y".to_string())));
    }
    compare(&Csv, "csv", options, *choice, data);
}

/// JSON documents; the first byte says where the records are and how large the pieces are.
pub fn json(data: &[u8]) {
    let Some((choice, data)) = data.split_first() else { return };
    let records = ["", "/data/items", "/0", "/a~1b"][usize::from(choice & 3)];
    compare(&Json, "json", vec![("records", OptionValue::Text(records.to_string()))], *choice, data);
}

/// JSON lines; the first byte says how large the pieces are.
pub fn jsonl(data: &[u8]) {
    let Some((choice, data)) = data.split_first() else { return };
    compare(&Jsonl, "jsonl", Vec::new(), *choice, data);
}

/// Lines of text; the first byte says what separates them and how large the pieces are.
pub fn text(data: &[u8]) {
    let Some((choice, data)) = data.split_first() else { return };
    let separator = ["\n", "--", ";", "\r\n"][usize::from(choice & 3)];
    compare(&Text, "text", vec![("separator", OptionValue::Text(separator.to_string()))], *choice, data);
}

fn compare(format: &dyn StreamFormat, name: &str, options: Vec<(&str, OptionValue)>, choice: u8, data: &[u8]) {
    let options = Options(options.into_iter().map(|(name, value)| (name.to_string(), value)).collect());
    let inferred = format.infer(&Sample { bytes: data, whole: true, origin: name }, &options);
    let field = |name: &str, ty| SourceField { name: name.to_string(), ty, wire_name: None, default: None };
    let declared = match name {
        "text" => vec![field("line", ColumnType::required(Type::Text))],
        _ => vec![
            field("id", ColumnType::required(Type::Int)),
            field("name", ColumnType::nullable(Type::Text)),
            field("price", ColumnType::nullable(Type::Float)),
            field("at", ColumnType::nullable(Type::Timestamp)),
            field("tags", ColumnType::nullable(Type::List(Box::new(ColumnType::nullable(Type::Text))))),
            field("more", ColumnType::nullable(Type::Json)),
            field("cost", ColumnType::nullable(Type::Decimal { precision: 10, scale: 2 })),
            field("raw", ColumnType::nullable(Type::Bytes)),
        ],
    };
    for fields in inferred.into_iter().chain([declared]) {
        let spec = SourceSpec {
            connector: name.to_string(),
            options: options.clone(),
            fields,
            key: Vec::new(),
            generation: 0,
            base: std::path::PathBuf::new(),
            selection: Default::default(),
        };
        let whole = decode(format, &spec, data, data.len().max(1));
        for piece in [1, 2, 7, usize::from(choice >> 3) + 1] {
            let pieces = decode(format, &spec, data, piece);
            assert_eq!(pieces, whole, "{name} in pieces of {piece}");
        }
    }
}

/// All rows and errors of bytes that arrive in pieces.
fn decode(
    format: &dyn StreamFormat,
    spec: &SourceSpec,
    data: &[u8],
    piece: usize,
) -> Option<(Vec<Value>, Vec<String>)> {
    let decoder = format.decoder(spec).ok()?;
    let mut out = RowBuffer::of_source(spec).ok()?;
    let (mut position, mut rows, mut errors) = (Position::default(), Vec::new(), Vec::new());
    let (mut start, mut end) = (0, 0);
    loop {
        let taken = decoder.decode(&data[start..end], end == data.len(), &mut position, &mut out);
        start += taken;
        assert_eq!(position.offset, start as u64, "the position counts what was taken");
        if out.is_full() || taken == 0 {
            let decoded = out.take();
            for row in 0..decoded.rows.num_rows() {
                let columns = spec.fields.iter().zip(decoded.rows.columns());
                rows.push(columns.map(|(field, array)| json_value(array.as_ref(), row, &field.ty.ty)).collect());
            }
            errors.extend(decoded.errors.into_iter().map(|error| format!("{error:?}")));
        }
        if taken == 0 && end == data.len() {
            assert_eq!(start, end, "everything is taken in the end");
            return Some((rows, errors));
        }
        if taken == 0 {
            end = (end + piece).min(data.len());
        }
    }
}
