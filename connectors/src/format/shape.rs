//! The fields that a decoder looks for: names as they stand in the input, types, and what stands in for a missing one.

use arrow_array::{Array, ArrayRef};
use tidebook_plan::ColumnType;
use tidebook_plan::connector::{ConnectorError, SourceField};

use super::jsonl::Wanted;
use super::value::json_value;

/// Fields of a row or of a record in order.
#[derive(Debug)]
pub struct Shape {
    /// The fields.
    pub fields: Vec<Field>,
    /// What fields whose names are JSON pointers want of the values of a JSON object.
    pub(super) wanted: Option<Wanted>,
}

/// One field of a [`Shape`].
#[derive(Debug)]
pub struct Field {
    /// Its name in the input.
    pub name: String,
    /// Its name in messages: that of the column.
    pub column: String,
    /// Its name as JSON most likely spells it, quotes included.
    pub quoted: Vec<u8>,
    /// The first eight bytes of that, and which bits of them count.
    head: (u64, u64),
    /// Its type.
    pub ty: ColumnType,
    /// The JSON text of the value where the input has none.
    pub default: Option<Vec<u8>>,
}

impl Shape {
    /// The shape of a source's rows.
    ///
    /// # Errors
    /// Where a default is no value of its column's type.
    pub fn of_source(connector: &str, fields: &[SourceField]) -> Result<Shape, ConnectorError> {
        let fields = fields.iter().map(|field| {
            let default = match &field.default {
                Some(value) => Some(default_text(value.to_array().ok(), &field.ty).ok_or_else(|| {
                    let message = format!("the default of column `{}` is no {}", field.name, field.ty.ty);
                    ConnectorError::Format { what: connector.to_string(), message }
                })?),
                None => None,
            };
            Ok(Field::new(field.wire_name(), &field.name, field.ty.clone(), default))
        });
        let fields = fields.collect::<Result<Vec<Field>, ConnectorError>>()?;
        Ok(Shape { wanted: Wanted::of(fields.iter().map(|field| field.name.as_str())), fields })
    }

    /// The shape of a record.
    pub fn of_record(fields: &[(String, ColumnType)]) -> Shape {
        let fields = fields.iter().map(|(name, ty)| Field::new(name, name, ty.clone(), None));
        Shape { fields: fields.collect(), wanted: None }
    }
}

impl Field {
    fn new(name: &str, column: &str, ty: ColumnType, default: Option<Vec<u8>>) -> Field {
        let quoted = serde_json::Value::from(name).to_string().into_bytes();
        let mut head = ([0; 8], [0; 8]);
        for (place, byte) in quoted.iter().take(8).enumerate() {
            (head.0[place], head.1[place]) = (*byte, 0xFF);
        }
        let head = (u64::from_le_bytes(head.0), u64::from_le_bytes(head.1));
        Field { name: name.to_string(), column: column.to_string(), quoted, head, ty, default }
    }

    /// True if `text` begins with the name in quotes.
    #[inline]
    pub fn begins(&self, text: &[u8]) -> bool {
        match text.first_chunk::<8>() {
            Some(first) => {
                u64::from_le_bytes(*first) & self.head.1 == self.head.0
                    && (self.quoted.len() <= first.len() || text.starts_with(&self.quoted))
            }
            None => text.starts_with(&self.quoted),
        }
    }
}

/// Defaults are kept as JSON text, since every decoder can read that into every type.
fn default_text(value: Option<ArrayRef>, ty: &ColumnType) -> Option<Vec<u8>> {
    let array = arrow_cast::cast(&value?, &ty.ty.to_arrow()).ok()?;
    if array.is_null(0) {
        return ty.nullable.then(|| b"null".to_vec());
    }
    Some(json_value(array.as_ref(), 0, &ty.ty).to_string().into_bytes())
}
