//! Text: a row for each line, or for each piece between two separators.

use memchr::memmem::Finder;
use tidebook_plan::Type;
use tidebook_plan::connector::{ConnectorError, Options, SourceField, SourceSpec};

use super::metadata::MetadataColumns;
use super::{Cell, Decode, MARK, Position, RowBuffer, Sample, StreamFormat};

/// The format text.
pub struct Text;

/// The column of a piece.
const COLUMN: &str = "line";

impl StreamFormat for Text {
    fn decoder(&self, spec: &SourceSpec) -> Result<Box<dyn Decode>, ConnectorError> {
        let (_, data) = MetadataColumns::split(&spec.fields, &spec.options)?;
        let fault = |message| ConnectorError::Format { what: spec.connector.clone(), message };
        if let [_, second, ..] = data.as_slice() {
            let message = format!("a line is one column, `{}` is a second one", second.name);
            return Err(fault(message));
        }
        if let Some(field) = data.iter().find(|field| field.ty.ty != Type::Text) {
            return Err(fault(format!("a line is text, the column `{}` is {}", field.name, field.ty.ty)));
        }
        Ok(Box::new(TextDecoder::new(&spec.options)?))
    }

    fn infer(&self, _: &Sample<'_>, _: &Options) -> Result<Vec<SourceField>, ConnectorError> {
        let ty = tidebook_plan::ColumnType::required(Type::Text);
        Ok(vec![SourceField { name: COLUMN.to_string(), ty, wire_name: None, default: None }])
    }
}

/// Takes text apart.
pub struct TextDecoder {
    separator: Finder<'static>,
    /// True if pieces are lines: these may end with a carriage return as well, which is none of them.
    lines: bool,
}

impl TextDecoder {
    /// A decoder for the option `separator`: the text between two rows, else the end of a line.
    ///
    /// # Errors
    /// Where the separator is empty.
    pub fn new(options: &Options) -> Result<TextDecoder, ConnectorError> {
        let separator = options.text("separator").unwrap_or("\n");
        if separator.is_empty() {
            let message = "is empty; `files` reads whole files".to_string();
            return Err(ConnectorError::Option { option: "separator", message });
        }
        Ok(TextDecoder { separator: Finder::new(separator).into_owned(), lines: separator == "\n" })
    }
}

impl Decode for TextDecoder {
    fn decode(&self, data: &[u8], last: bool, position: &mut Position, out: &mut RowBuffer) -> usize {
        let mut at = if position.offset == 0 && data.starts_with(MARK) { MARK.len() } else { 0 };
        let length = self.separator.needle().len();
        while at < data.len() && !out.is_full() {
            let (end, next) = match self.separator.find(&data[at..]) {
                Some(found) => (at + found, at + found + length),
                None if last => (data.len(), data.len()),
                None => break,
            };
            let line = position.line + 1;
            position.line += if self.lines { 1 } else { memchr::memchr_iter(b'\n', &data[at..next]).count() as i64 };
            let piece = &data[at..end];
            let piece = if self.lines { piece.strip_suffix(b"\r").unwrap_or(piece) } else { piece };
            match std::str::from_utf8(piece) {
                Ok(text) => {
                    // A source without a column of its own has only what the file gives.
                    let cells = [Cell::Text(text)];
                    out.push_row(line, &cells[..out.shape.fields.len()]);
                }
                Err(_) => {
                    let message = out.invalid_text();
                    out.push_error(Some(line), Some(piece), message);
                }
            }
            at = next;
        }
        position.offset += at as u64;
        at
    }

    fn separator(&self) -> Option<&[u8]> {
        Some(self.separator.needle())
    }

    fn can_continue(&self) -> bool {
        self.lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::testing::{decode, required};
    use serde_json::{Value, json};
    use tidebook_plan::connector::OptionValue;

    fn rows(separator: Option<&str>, text: &[u8]) -> (Vec<Value>, Vec<(i64, String)>) {
        let separator = separator.map(|text| ("separator".to_string(), OptionValue::Text(text.to_string())));
        let decoder = TextDecoder::new(&Options(separator.into_iter().collect())).unwrap();
        let whole = decode(&decoder, &required(&[("line", Type::Text)]), text, 1 << 20);
        for piece in [1, 2, 7] {
            assert_eq!(
                decode(&decoder, &required(&[("line", Type::Text)]), text, piece),
                whole,
                "in pieces of {piece}"
            );
        }
        let errors = whole.1.into_iter().map(|error| (error.position.unwrap(), error.message));
        (whole.0.into_iter().map(|row| row[0].clone()).collect(), errors.collect())
    }

    #[test]
    fn a_row_for_every_line() {
        let (lines, errors) = rows(None, b"\xEF\xBB\xBFone\r\n\n  two \nthr\0ee");
        assert_eq!((lines, errors.len()), (vec![json!("one"), json!(""), json!("  two "), json!("thr\0ee")], 0));
        assert_eq!(rows(None, b"").0, Vec::<Value>::new());
        assert_eq!(rows(None, b"\xEF\xBB\xBF").0, Vec::<Value>::new());
        assert_eq!(rows(None, b"\n").0, [json!("")]);
    }

    #[test]
    fn a_row_for_every_piece() {
        let (pieces, _) = rows(Some("\n\n"), "a\nb\n\nc\u{e9}\n".as_bytes());
        assert_eq!(pieces, [json!("a\nb"), json!("c\u{e9}\n")]);
        assert!(TextDecoder::new(&Options([("separator".into(), OptionValue::Text(String::new()))].into())).is_err());
    }

    #[test]
    fn bytes_that_are_no_text_spoil_only_their_line() {
        let (lines, errors) = rows(None, b"a\n\xFF\nb\n\xC3\n");
        assert_eq!(lines, [json!("a"), json!("b")]);
        assert_eq!(errors, [(2, "not valid UTF-8".to_string()), (4, "not valid UTF-8".to_string())]);
    }
}
