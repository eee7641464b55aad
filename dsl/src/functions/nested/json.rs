//! Fields and elements of JSON documents. A part is again a document; what is not there is null, and so is a JSON
//! `null`.

use arrow::array::{ArrayRef, StringArray};
use datafusion_common::{Result, ScalarValue};
use serde_json::Value;
use tidebook_plan::{ColumnType, Type};

use super::super::arguments::Arguments;
use super::super::kernel::Kernel;
use super::super::typed::Typed;

fn document() -> ColumnType {
    ColumnType::nullable(Type::Json)
}

/// `arg.name`.
pub fn member(arg: Typed, name: &str) -> Typed {
    named(arg, Typed::literal(ScalarValue::from(name), ColumnType::required(Type::Text)))
}

/// `arg["name"]`.
pub fn named(arg: Typed, name: Typed) -> Typed {
    Kernel::new("member", Type::Json.to_arrow(), false, evaluate_member).call(vec![arg, name], document())
}

/// `arg[index]`.
pub fn element(arg: Typed, index: Typed) -> Typed {
    Kernel::new("element", Type::Json.to_arrow(), false, evaluate_element).call(vec![arg, index], document())
}

/// The part of a document that `pick` finds.
fn part<'v>(value: &'v Value, pick: impl Fn(&'v Value) -> Option<&'v Value>) -> Option<String> {
    pick(value).filter(|part| !part.is_null()).map(Value::to_string)
}

fn parse(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok()
}

fn evaluate_member(args: &Arguments<'_>) -> Result<ArrayRef> {
    let (documents, names) = (args.text(0)?, args.text(1)?);
    args.collect_nullable::<StringArray, _>(|row| {
        Ok(parse(documents.value(row)).and_then(|value| part(&value, |value| value.get(names.value(row)))))
    })
}

fn evaluate_element(args: &Arguments<'_>) -> Result<ArrayRef> {
    let (documents, places) = (args.text(0)?, args.int(1)?);
    args.collect_nullable::<StringArray, _>(|row| {
        let place = usize::try_from(places.value(row)).ok();
        Ok(parse(documents.value(row)).and_then(|value| part(&value, |value| value.get(place?))))
    })
}
