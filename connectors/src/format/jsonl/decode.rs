//! JSON text at a cursor into a typed column.

use tidebook_plan::{ColumnType, Type};

use super::cursor::{Cursor, Span, unescape};
use super::{Fault, TypeFault};
use crate::format::clock::{parse_date, parse_duration, parse_timestamp};
use crate::format::column::{ColumnBuilder, Runs, Values};
use crate::format::scalar::{normal, parse_base64, parse_decimal, parse_float, parse_int, parse_special_float};
use crate::format::shape::{Field, Shape};

/// Characters of a value that a message shows.
const SHOWN: usize = 60;

/// A row, or a record, on its way into columns, each of which has `row` rows and gets one more.
pub struct Filling<'a> {
    shape: &'a Shape,
    columns: &'a mut [ColumnBuilder],
    row: usize,
    filled: usize,
    /// Faults of single fields wait for the end: the same key may come again, and then that value counts.
    faults: Vec<(usize, Fault)>,
}

impl Filling<'_> {
    /// The value at the cursor into a column, in the place of an earlier one.
    #[inline]
    pub fn put(&mut self, cursor: &mut Cursor<'_>, index: usize) -> Result<(), Fault> {
        let (field, column) = (&self.shape.fields[index], &mut self.columns[index]);
        if column.len() > self.row {
            column.truncate(self.row);
        } else {
            self.filled += 1;
        }
        if !self.faults.is_empty() {
            self.faults.retain(|(failed, _)| *failed != index);
        }
        cursor.peek_token();
        let start = cursor.position;
        match field_value(cursor, column, field) {
            Err(fault @ Fault::Type(_)) => {
                self.filled -= 1;
                column.truncate(self.row);
                self.faults.push((index, fault.within(&field.column)));
                cursor.position = start;
                cursor.skip_value().map(|_| ())
            }
            other => other,
        }
    }

    /// Takes back what a column has got.
    pub fn clear(&mut self, index: usize) {
        self.faults.retain(|(failed, _)| *failed != index);
        let column = &mut self.columns[index];
        if column.len() > self.row {
            column.truncate(self.row);
            self.filled -= 1;
        }
    }
}

/// An object into the columns of its fields, each of which has `row` rows and gets one more. The cursor is at `{`.
#[inline]
pub fn fields(cursor: &mut Cursor<'_>, shape: &Shape, columns: &mut [ColumnBuilder], row: usize) -> Result<(), Fault> {
    // Most inputs name their fields in one order, so the next key is nearly always the next field's.
    let mut next = 0;
    let mut filling = Filling { shape, columns, row, filled: 0, faults: Vec::new() };
    cursor.sequence(b'}', |cursor| {
        cursor.peek_token();
        let key = cursor.position;
        let found = match shape.fields.get(next) {
            Some(field) if field.begins(&cursor.bytes[cursor.position..]) => {
                cursor.position += field.quoted.len();
                Some(next)
            }
            _ => find(cursor, shape)?,
        };
        let wanted = match &shape.wanted {
            None => None,
            Some(wanted) => wanted.get(&key_text(cursor, key)?),
        };
        cursor.expect(b':')?;
        let value = cursor.position;
        match found {
            Some(found) => {
                next = found + 1;
                filling.put(cursor, found)?;
            }
            None if wanted.is_none() => cursor.skip_value().map(|_| ())?,
            None => {}
        }
        match wanted {
            None => Ok(()),
            Some(wanted) => {
                cursor.position = value;
                wanted.take(cursor, &mut filling)
            }
        }
    })?;
    let Filling { columns, filled, faults, .. } = filling;
    if let Some((_, fault)) = faults.into_iter().next() {
        return Err(fault);
    }
    if filled < shape.fields.len() {
        for (field, column) in shape.fields.iter().zip(columns) {
            if column.len() == row {
                missing(column, field)?;
            }
        }
    }
    Ok(())
}

/// The text of the key at `start`, which the cursor has just passed.
#[cold]
fn key_text(cursor: &Cursor<'_>, start: usize) -> Result<Vec<u8>, Fault> {
    let key = Cursor::new(cursor.bytes, start).string()?;
    let mut text = Vec::new();
    if !unescape(key.raw, &mut text) {
        return Err(cursor.half_character());
    }
    Ok(text)
}

/// Reads a key and finds its field.
fn find(cursor: &mut Cursor<'_>, shape: &Shape) -> Result<Option<usize>, Fault> {
    if cursor.peek() != b'"' {
        return Err(cursor.unexpected("expected a name in quotes"));
    }
    let key = cursor.string()?;
    let name = |name: &[u8]| shape.fields.iter().position(|field| field.name.as_bytes() == name);
    if !key.escaped {
        return Ok(name(key.raw));
    }
    let mut text = Vec::new();
    if !unescape(key.raw, &mut text) {
        return Err(cursor.half_character());
    }
    Ok(name(&text))
}

/// The value of a field; a null where none may be takes the default.
fn field_value(cursor: &mut Cursor<'_>, column: &mut ColumnBuilder, field: &Field) -> Result<(), Fault> {
    if let (b'n', false, Some(_), false) =
        (cursor.peek_token(), field.ty.nullable, &field.default, field.ty.ty == Type::Json)
    {
        cursor.word(b"null")?;
        return missing(column, field);
    }
    value(cursor, column, &field.ty)
}

/// What stands in for a missing field.
pub fn missing(column: &mut ColumnBuilder, field: &Field) -> Result<(), Fault> {
    match &field.default {
        Some(text) => value(&mut Cursor::new(text, 0), column, &field.ty).map_err(|fault| fault.within(&field.column)),
        None if field.ty.nullable => {
            column.push_null();
            Ok(())
        }
        None => {
            let fault = Fault::Type(Box::new(TypeFault { path: Vec::new(), message: "is missing".to_string() }));
            Err(fault.within(&field.column))
        }
    }
}

/// One value into one more row of a column.
#[inline]
pub fn value(cursor: &mut Cursor<'_>, column: &mut ColumnBuilder, ty: &ColumnType) -> Result<(), Fault> {
    let first = cursor.peek_token();
    if first == b'n' && (ty.nullable || ty.ty != Type::Json) {
        let start = cursor.position;
        cursor.word(b"null")?;
        if ty.nullable || ty.ty == Type::Null {
            column.push_null();
            return Ok(());
        }
        return Err(mismatch(cursor, start, ty));
    }
    let start = cursor.position;
    let fits = match (&mut column.values, first) {
        (Values::Text(runs), b'"') => text(cursor, runs)?,
        (Values::Int(values), b'-' | b'0'..=b'9') => push(values, parse_int(cursor.number()?)),
        (Values::Float(values), b'-' | b'0'..=b'9') => push(values, parse_float(cursor.number()?)),
        (Values::Bool(values), b't') => {
            cursor.word(b"true")?;
            values.append(true);
            true
        }
        (Values::Bool(values), b'f') => {
            cursor.word(b"false")?;
            values.append(false);
            true
        }
        (Values::Json(runs), _) => {
            runs.push(cursor.skip_value()?);
            true
        }
        (Values::Decimal { values, precision, scale }, b'-' | b'0'..=b'9') => {
            push(values, parse_decimal(cursor.number()?, *precision, *scale))
        }
        (Values::Duration(values), b'-' | b'0'..=b'9') => push(values, parse_duration(cursor.number()?)),
        (Values::Vector { items, size, .. }, b'[') => vector(cursor, items, *size)?,
        (Values::List { ends, item, ty, .. }, b'[') => {
            cursor.sequence(b']', |cursor| value(cursor, item, ty))?;
            ends.push(item.len() as i32);
            true
        }
        (Values::Record { columns, shape, .. }, b'{') => {
            let row = columns.first().map_or(0, ColumnBuilder::len);
            fields(cursor, shape, columns, row)?;
            true
        }
        (values, b'"') => quoted(cursor, values)?,
        // Identifiers are often written as whole numbers, of any length: text keeps all digits.
        (Values::Text(runs), b'-' | b'0'..=b'9') => {
            let number = cursor.number()?;
            let whole = number.iter().all(|byte| byte.is_ascii_digit() || *byte == b'-');
            if whole {
                runs.push(number);
            }
            whole
        }
        _ => false,
    };
    if !fits {
        return Err(mismatch(cursor, start, ty));
    }
    column.valid();
    Ok(())
}

#[inline]
fn push<T>(values: &mut Vec<T>, value: Option<T>) -> bool {
    match value {
        Some(value) => {
            values.push(value);
            true
        }
        None => false,
    }
}

#[inline]
fn text(cursor: &mut Cursor<'_>, runs: &mut Runs) -> Result<bool, Fault> {
    let span = cursor.string()?;
    if !span.escaped {
        runs.push(span.raw);
        return Ok(true);
    }
    if !unescape(span.raw, &mut runs.bytes) {
        return Err(cursor.half_character());
    }
    runs.end();
    Ok(true)
}

/// A string as a value of a type that JSON does not have.
fn quoted(cursor: &mut Cursor<'_>, values: &mut Values) -> Result<bool, Fault> {
    let mut buffer = Vec::new();
    let text = match cursor.string()? {
        Span { raw, escaped: false } => raw,
        Span { raw, .. } if unescape(raw, &mut buffer) => buffer.as_slice(),
        Span { .. } => return Err(cursor.half_character()),
    };
    Ok(match values {
        Values::Timestamp(values) => push(values, parse_timestamp(text)),
        Values::Date(values) => push(values, parse_date(text)),
        Values::Duration(values) => push(values, parse_duration(text)),
        Values::Decimal { values, precision, scale } => push(values, parse_decimal(text, *precision, *scale)),
        Values::Float(values) => push(values, parse_special_float(text)),
        Values::Bytes(runs) => match parse_base64(text) {
            Some(bytes) => {
                runs.push(&bytes);
                true
            }
            None => false,
        },
        _ => false,
    })
}

/// Exactly `size` numbers.
fn vector(cursor: &mut Cursor<'_>, items: &mut Vec<f32>, size: usize) -> Result<bool, Fault> {
    let before = items.len();
    let mut numbers = true;
    cursor.sequence(b']', |cursor| {
        if !matches!(cursor.peek_token(), b'-' | b'0'..=b'9') {
            numbers = false;
            return cursor.skip_value().map(|_| ());
        }
        // Read as 32 bits at once: through 64 bits it would be rounded twice.
        let item: Option<f32> = std::str::from_utf8(cursor.number()?).ok().and_then(|text| text.parse().ok());
        match item.filter(|item| item.is_finite()) {
            Some(item) => items.push(normal(f64::from(item)) as f32),
            None => numbers = false,
        }
        Ok(())
    })?;
    Ok(numbers && items.len() - before == size)
}

/// The fault of a value that starts at `start` and is no `ty`, unless it is not even JSON.
#[cold]
fn mismatch(cursor: &mut Cursor<'_>, start: usize, ty: &ColumnType) -> Fault {
    cursor.position = start;
    match cursor.skip_value() {
        Ok(found) => Fault::Type(Box::new(TypeFault { path: Vec::new(), message: expected(&ty.ty, found) })),
        Err(fault) => fault,
    }
}

/// `expected int, found "abc"`.
pub fn expected(ty: &Type, found: &[u8]) -> String {
    let found = String::from_utf8_lossy(found);
    let mut shown: String = found.chars().take(SHOWN).collect();
    if shown.len() < found.len() {
        shown.push('…');
    }
    format!("expected {ty}, found {shown}")
}
