//! One spelling for equal JSON documents: no white space, members by name, whole numbers without a point.

use arrow::array::{ArrayRef, StringArray};
use datafusion_common::Result;
use serde_json::{Map, Value};
use tidebook_plan::Type;

use super::super::arguments::Arguments;
use super::super::kernel::Kernel;
use super::super::typed::Typed;

/// The document in its canonical spelling; what is no document stays as it is.
pub fn canonical(document: Typed) -> Typed {
    let ty = document.ty.clone();
    Kernel::new("canonical_json", Type::Json.to_arrow(), false, evaluate).call(vec![document], ty)
}

/// The value, a document in its canonical spelling: what rows and keys that are equal have in common.
pub fn of_equals(value: Typed) -> Typed {
    if value.ty.ty == Type::Json { canonical(value) } else { value }
}

fn evaluate(args: &Arguments<'_>) -> Result<ArrayRef> {
    let texts = args.text(0)?;
    args.collect::<StringArray, _>(|row| {
        let text = texts.value(row);
        Ok(serde_json::from_str(text).map_or_else(|_| text.to_string(), |value| sorted(value).to_string()))
    })
}

/// The same value with the members of every object by name.
fn sorted(value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(sorted).collect(),
        Value::Object(members) => {
            let mut members: Vec<(String, Value)> = members.into_iter().map(|(name, v)| (name, sorted(v))).collect();
            members.sort_by(|(a, _), (b, _)| a.cmp(b));
            Value::Object(members.into_iter().collect::<Map<_, _>>())
        }
        // 1.0 is 1. Floats hold every whole number so far.
        Value::Number(number) => match number.as_f64().filter(|_| number.is_f64()) {
            Some(float) if float.fract() == 0.0 && float.abs() < 9_007_199_254_740_992.0 => (float as i64).into(),
            _ => Value::Number(number),
        },
        other => other,
    }
}
