//! JSON documents that are not lines: an array of objects, objects one after the other over any number of lines, or
//! an array deep inside one document.
//!
//! The documents are taken apart while they stream: only one record is in memory at a time. A record whose inside is wrong
//! is an error, and the next one is read; where the document around the records is wrong, what follows is not.

mod infer;
mod pieces;

use tidebook_plan::connector::{ConnectorError, Options, SourceField, SourceSpec};

use self::pieces::{Piece, Pieces};
use super::jsonl::{Cursor, Pointer};
use super::{Decode, DecoderState, MARK, Position, RowBuffer, Sample, StreamFormat};

pub use pieces::Stage;

/// The format JSON.
pub struct Json;

impl StreamFormat for Json {
    fn decoder(&self, spec: &SourceSpec) -> Result<Box<dyn Decode>, ConnectorError> {
        Ok(Box::new(JsonDecoder::new(&spec.options)?))
    }

    fn infer(&self, sample: &Sample<'_>, options: &Options) -> Result<Vec<SourceField>, ConnectorError> {
        infer::infer(sample, &records(options)?).map_err(|message| sample.fault(message))
    }
}

/// The option `records`: where in a document the records are.
fn records(options: &Options) -> Result<Pointer, ConnectorError> {
    let text = options.text("records").unwrap_or_default();
    Pointer::new(text).ok_or_else(|| {
        let message = format!("`{text}` is no JSON pointer: write `/name`, `/name/inner` or `/0`");
        ConnectorError::Option { option: "records", message }
    })
}

/// Decodes JSON documents.
pub struct JsonDecoder {
    records: Pointer,
}

impl JsonDecoder {
    /// A decoder for the option `records`.
    ///
    /// # Errors
    /// Where it is no JSON pointer.
    pub fn new(options: &Options) -> Result<JsonDecoder, ConnectorError> {
        Ok(JsonDecoder { records: records(options)? })
    }
}

impl Decode for JsonDecoder {
    fn decode(&self, data: &[u8], last: bool, position: &mut Position, out: &mut RowBuffer) -> usize {
        let start = if position.offset == 0 && data.starts_with(MARK) { MARK.len() } else { 0 };
        if position.offset == 0 && !last && data.len() < MARK.len() && MARK.starts_with(data) {
            return 0;
        }
        let stage = match &position.state {
            Some(DecoderState::Documents(stage)) => *stage,
            _ => Stage::Between,
        };
        let mut pieces = Pieces { data, at: start, last, stage, records: &self.records };
        // Lines are counted up to here.
        let mut counted = start;
        let mut flat = Vec::new();
        while !out.is_full() {
            let before = pieces.at;
            let piece = pieces.next();
            let mut line_at = |at: usize| {
                position.line += memchr::memchr_iter(b'\n', &data[counted..at]).count() as i64;
                counted = at;
                position.line + 1
            };
            match piece {
                Piece::Record(range) => {
                    let (line, record) = (line_at(range.start), &data[range.clone()]);
                    if std::str::from_utf8(record).is_err() {
                        let message = out.invalid_text();
                        out.push_error(Some(line), Some(record), message);
                        continue;
                    }
                    let text = if record.contains(&b'\n') { on_one_line(record, &mut flat) } else { record };
                    match out.decode_row(&mut Cursor::new(text, 0)) {
                        Ok(()) => out.row_done(line),
                        Err(fault) => {
                            out.cut_row();
                            out.push_error(Some(line), Some(record), fault.message("a JSON object", text, 0));
                        }
                    }
                }
                Piece::Fault(message, at) => {
                    let line = line_at(at);
                    out.push_error(Some(line), None, format!("{message}; what follows is not read"));
                    pieces.stage = Stage::Over;
                    pieces.at = data.len();
                }
                Piece::Open => {
                    pieces.at = before.max(pieces.at);
                    break;
                }
            }
        }
        position.line += memchr::memchr_iter(b'\n', &data[counted..pieces.at.max(counted)]).count() as i64;
        position.state = Some(DecoderState::Documents(pieces.stage));
        position.offset += pieces.at as u64;
        pieces.at
    }

    fn separator(&self) -> Option<&[u8]> {
        None
    }

    fn can_continue(&self) -> bool {
        false
    }
}

/// A record without the newlines between its values. Those inside strings, where JSON does not allow them, stay.
fn on_one_line<'a>(record: &[u8], flat: &'a mut Vec<u8>) -> &'a [u8] {
    flat.clear();
    let mut in_string = false;
    let mut escaped = false;
    flat.extend(record.iter().map(|byte| {
        let byte = if *byte == b'\n' && !in_string { b' ' } else { *byte };
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ => {}
        }
        byte
    }));
    flat
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::testing::{decode, nullable};
    use serde_json::{Value, json};
    use tidebook_plan::Type;
    use tidebook_plan::connector::OptionValue;

    fn options(records: &str) -> Options {
        Options([("records".to_string(), OptionValue::Text(records.to_string()))].into())
    }

    fn rows(records: &str, text: &str) -> (Vec<Value>, Vec<String>) {
        let decoder = JsonDecoder::new(&options(records)).unwrap();
        let fields = nullable(&[("a", Type::Int), ("b", Type::Text)]);
        let whole = decode(&decoder, &fields, text.as_bytes(), 1 << 20);
        for piece in [1, 2, 5] {
            assert_eq!(decode(&decoder, &fields, text.as_bytes(), piece), whole, "in pieces of {piece}");
        }
        let errors = whole.1.iter().map(|error| format!("{}: {}", error.position.unwrap(), error.message));
        (whole.0, errors.collect())
    }

    #[test]
    fn arrays_and_objects_over_several_lines() {
        let expected = vec![json!([1, "x]\"}"]), json!([2, null])];
        for text in [
            "[{\"a\": 1, \"b\": \"x]\\\"}\"}, {\"a\": 2}]",
            "\u{FEFF}\n[\n  {\n    \"a\": 1,\n    \"b\": \"x]\\\"}\"\n  },\n  {\"a\": 2, \"c\": [{}, \"]\"]}\n]\n",
            "{\"a\": 1, \"b\": \"x]\\\"}\"}\n{\n\"a\": 2\n}",
            "{\"a\": 1, \"b\": \"x]\\\"}\"}{\"a\": 2}",
            "[{\"a\": 1, \"b\": \"x]\\\"}\"}] [ ] [{\"a\": 2}]\n",
        ] {
            assert_eq!(rows("", text), (expected.clone(), vec![]), "{text}");
        }
        for text in ["", "\n \n", "[]", "[\n]"] {
            assert_eq!(rows("", text), (vec![], vec![]), "{text}");
        }
    }

    #[test]
    fn records_inside_a_document() {
        let text = "{\"next\": null, \"meta\": {\"items\": [9]}, \"data\": {\"no\": {}, \"it/ems\": [{\"a\": 1}, {\"a\": 2}]}, \"z\": 1}";
        assert_eq!(rows("/data/it~1ems", text), (vec![json!([1, null]), json!([2, null])], vec![]));
        assert_eq!(rows("/0/x", "[{\"x\": {\"a\": 3}}, {\"x\": 4}]"), (vec![json!([3, null])], vec![]));
        assert_eq!(rows("/data/none", text).1, ["1: there is no `/data/none`; what follows is not read"]);
        assert!(JsonDecoder::new(&options("data")).is_err());
    }

    #[test]
    fn a_faulty_record_is_an_error_and_a_faulty_document_ends() {
        let text = "[\n{\"a\": 1},\n{\"a\": \"x\"},\n7,\n{\"a\": tru},\n{\"a\": 2}\n{\"a\": 3}]";
        let (found, errors) = rows("", text);
        assert_eq!(found, [json!([1, null]), json!([2, null])]);
        assert_eq!(
            errors,
            [
                "3: column `a`: expected int, found \"x\"",
                "4: not a JSON object: expected `{` (character 1)",
                "5: not a JSON object: expected a value (character 7)",
                "7: expected `,` or `]`, found `{`; what follows is not read",
            ]
        );
        assert_eq!(rows("", "[{\"a\": 1}, {\"a\": 2").1, ["1: it ends inside a record; what follows is not read"]);
        assert_eq!(rows("", "[{\"a\": 1},").1, ["1: it ends inside an array; what follows is not read"]);
        assert_eq!(
            rows("", "a,b\n1,2\n").1,
            ["1: expected an object or an array of objects, found `a`; what follows is not read"]
        );
    }

    #[test]
    fn nesting_of_any_depth_is_an_error_and_no_more() {
        let deep = format!("[{{\"a\": 1}}, {}1{}, {{\"a\": 2}}]", "[".repeat(100_000), "]".repeat(100_000));
        let decoder = JsonDecoder::new(&options("")).unwrap();
        let (found, errors) =
            decode(&decoder, &nullable(&[("a", Type::Int), ("b", Type::Text)]), deep.as_bytes(), 1 << 20);
        assert_eq!((found.len(), errors.len()), (2, 1));
    }
}
