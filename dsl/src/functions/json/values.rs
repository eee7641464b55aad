//! Documents as values: their plain text, two merged, a member set.

use arrow::array::{ArrayRef, BooleanArray};
use datafusion_common::Result;
use serde_json::Value;

use super::super::arguments::Arguments;
use super::super::entry::{Function, total};
use super::super::takes::{Gives, Simple, Takes};
use super::{VALUE_JSON, entry, parse};

/// The entries.
pub const LIBRARY: &[Function] = &[
    entry(
        "json_valid",
        "True if the text is a JSON document: where `json(x)` is no row error.",
        &[("json_valid('{\"a\": 1}')", "true"), ("json_valid('{a: 1}')", "false")],
        &[total(&[("x", Takes::Value(Simple::Text))], Gives::Value(Simple::Bool), |args| {
            let texts = args.text(0)?;
            args.collect::<BooleanArray, _>(|row| Ok(serde_json::from_str::<Value>(texts.value(row)).is_ok()))
        })],
    ),
    entry(
        "json_merge",
        "The first document changed by the second one (RFC 7396): members are set, and members that are null there are \
         removed; anything but two objects is replaced.",
        &[("json_merge(json('{\"a\": 1, \"b\": 2}'), json('{\"b\": null, \"c\": 3}'))", "{\"a\":1,\"c\":3}")],
        &[total(&[("document", VALUE_JSON), ("patch", VALUE_JSON)], Gives::Value(Simple::Json), |args| {
            let (documents, patches) = (args.text(0)?, args.text(1)?);
            args.write(|row, out| {
                let merged = merge(parse(documents.value(row)), parse(patches.value(row)));
                out.push_str(&merged.to_string());
                Ok(())
            })
        })],
    ),
    entry(
        "json_pretty",
        "The document as text over several lines, indented.",
        &[("json_pretty(json('[1]'))", "[\n  1\n]")],
        &[total(&[("document", VALUE_JSON)], Gives::Value(Simple::Text), |args| {
            let documents = args.text(0)?;
            args.write(|row, out| {
                out.push_str(&format!("{:#}", parse(documents.value(row))));
                Ok(())
            })
        })],
    ),
];

/// A JSON merge patch.
fn merge(document: Value, patch: Value) -> Value {
    let Value::Object(changes) = patch else { return patch };
    let mut members = match document {
        Value::Object(members) => members,
        _ => serde_json::Map::new(),
    };
    for (name, change) in changes {
        if change.is_null() {
            members.shift_remove(&name);
        } else {
            let before = members.get(&name).cloned().unwrap_or(Value::Null);
            members.insert(name, merge(before, change));
        }
    }
    Value::Object(members)
}

/// The content of a JSON string, any other document as it stands.
pub fn plain_text(args: &Arguments<'_>) -> Result<ArrayRef> {
    let documents = args.text(0)?;
    args.write(|row, out| {
        let text = documents.value(row);
        match serde_json::from_str::<Value>(text) {
            Ok(Value::String(content)) => out.push_str(&content),
            _ => out.push_str(text),
        }
        Ok(())
    })
}
