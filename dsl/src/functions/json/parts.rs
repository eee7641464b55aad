//! Parts of a document by paths (RFC 9535), and what kinds of things there are.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Int64Array, ListBuilder, StringBuilder};
use datafusion_common::Result;
use serde_json::Value;
use serde_json_path::JsonPath;
use tidebook_plan::{ColumnType, Type};

use super::super::arguments::Arguments;
use super::super::cast::{cast, show::quoted};
use super::super::entry::{Function, Overload, fallible, rewritten, total};
use super::super::prepare::{Prepare, Readings, prepared};
use super::super::takes::{Gives, Simple};
use super::super::text::count;
use super::super::typed::{CallFault, Typed};
use super::{DOCUMENT, DOCUMENT_AND_PATH, JSON_OR_NULL, entry, parse};

const PATH: &[Prepare] = &[Prepare { argument: 1, read: |text| prepared(path(text)) }];

/// The entries.
pub const LIBRARY: &[Function] = &[
    entry(
        "json_get",
        "The first part of the document that the path leads to; null if there is none.",
        &[
            ("json_get(json('{\"a\": [{\"b\": 1}, {\"b\": 2}]}'), '$.a[1].b')", "2"),
            ("json_get(json('{\"a\": 1}'), '$.b')", "null"),
        ],
        &[by_path(JSON_OR_NULL, get)],
    ),
    entry(
        "json_get_all",
        "All parts of the document that the path leads to, in their order.",
        &[("json_get_all(json('{\"a\": [{\"b\": 1}, {\"b\": 2}]}'), '$.a[*].b')", "[1,2]")],
        &[by_path(Gives::ListOf(Simple::Json), |args| {
            let (documents, paths) = (args.text(0)?, Readings::new(args, 1, path)?);
            json_lists(args, |row, add| {
                let document = parse(documents.value(row));
                paths.get(row)?.query(&document).iter().for_each(|part| add(part));
                Ok(true)
            })
        })],
    ),
    entry(
        "json_has",
        "True if the path leads to a part of the document, and be it a JSON null.",
        &[("json_has(json('{\"a\": null}'), '$.a')", "true"), ("json_has(json('{\"a\": 1}'), '$.b')", "false")],
        &[by_path(Gives::Value(Simple::Bool), |args| {
            let (documents, paths) = (args.text(0)?, Readings::new(args, 1, path)?);
            args.collect::<BooleanArray, _>(|row| Ok(!paths.get(row)?.query(&parse(documents.value(row))).is_empty()))
        })],
    ),
    entry(
        "json_text",
        "The text that the document, or the part of it that the path leads to, holds if it is a JSON string; anything else \
         as it is written.",
        &[("json_text(json('{\"a\": \"x\"}').a)", "x"), ("json_text(json('{\"a\": [1]}'), '$.a')", "[1]")],
        &[
            total(DOCUMENT, Gives::Value(Simple::Text), super::values::plain_text),
            rewritten(DOCUMENT_AND_PATH, Gives::Nullable(Simple::Text), |args| {
                super::super::call("json_text", vec![first_part(args)?])
            }),
        ],
    ),
    entry(
        "json_int",
        "The part of the document that the path leads to as an int; null if there is none, and a row error if it is \
         something else.",
        &[("json_int(json('{\"a\": {\"b\": 7}}'), '$.a.b')", "7")],
        &[rewritten(DOCUMENT_AND_PATH, Gives::Nullable(Simple::Int), |args| cast(first_part(args)?, &Type::Int))],
    ),
    entry(
        "json_float",
        "The part of the document that the path leads to as a float; null if there is none, and a row error if it is \
         something else.",
        &[("json_float(json('{\"a\": [1.5]}'), '$.a[0]')", "1.5")],
        &[rewritten(DOCUMENT_AND_PATH, Gives::Nullable(Simple::Float), |args| cast(first_part(args)?, &Type::Float))],
    ),
    entry(
        "json_bool",
        "The part of the document that the path leads to as a bool; null if there is none, and a row error if it is \
         something else.",
        &[("json_bool(json('{\"a\": true}'), '$.a')", "true")],
        &[rewritten(DOCUMENT_AND_PATH, Gives::Nullable(Simple::Bool), |args| cast(first_part(args)?, &Type::Bool))],
    ),
    entry(
        "json_type",
        "What the document is: `object`, `array`, `string`, `number`, `boolean` or `null`.",
        &[("json_type(json('[1]'))", "array"), ("json_type(json('{\"a\": 1.5}').a)", "number")],
        &[total(DOCUMENT, Gives::Value(Simple::Text), |args| {
            let documents = args.text(0)?;
            args.write(|row, out| {
                out.push_str(match parse(documents.value(row)) {
                    Value::Null => "null",
                    Value::Bool(_) => "boolean",
                    Value::Number(_) => "number",
                    Value::String(_) => "string",
                    Value::Array(_) => "array",
                    Value::Object(_) => "object",
                });
                Ok(())
            })
        })],
    ),
    entry(
        "json_length",
        "Number of elements of an array or of members of an object; null for anything else.",
        &[("json_length(json('[1, 2]'))", "2"), ("json_length(json('7'))", "null")],
        &[total(DOCUMENT, Gives::Nullable(Simple::Int), |args| {
            let documents = args.text(0)?;
            args.collect_nullable::<Int64Array, _>(|row| {
                Ok(match parse(documents.value(row)) {
                    Value::Array(items) => Some(count(items.len())),
                    Value::Object(members) => Some(count(members.len())),
                    _ => None,
                })
            })
        })],
    ),
    entry(
        "json_keys",
        "The names of the members of an object, in their order; null for anything else.",
        &[("json_keys(json('{\"b\": 1, \"a\": 2}'))", "[\"b\",\"a\"]")],
        &[total(DOCUMENT, Gives::Found("[text]?", |_| list_or_null(Type::Text)), |args| {
            let documents = args.text(0)?;
            args.write_nullable_lists(|row, list| match parse(documents.value(row)) {
                Value::Object(members) => members.keys().try_for_each(|key| list.push(Some(key))).map(|()| true),
                _ => Ok(false),
            })
        })],
    ),
    entry(
        "json_elements",
        "The elements of an array as a list of documents, to be taken apart with `flatten`; null for anything else.",
        &[("json_elements(json('[1, {\"a\": 2}]'))[1].a", "2")],
        &[total(DOCUMENT, Gives::Found("[json]?", |_| list_or_null(Type::Json)), |args| {
            let documents = args.text(0)?;
            json_lists(args, |row, add| match parse(documents.value(row)) {
                Value::Array(items) => {
                    items.iter().for_each(|item| add(item));
                    Ok(true)
                }
                _ => Ok(false),
            })
        })],
    ),
];

const fn by_path(gives: Gives, evaluate: fn(&Arguments<'_>) -> Result<ArrayRef>) -> Overload {
    fallible(DOCUMENT_AND_PATH, gives, evaluate).reading(PATH).unless_constant()
}

fn list_or_null(ty: Type) -> std::result::Result<ColumnType, CallFault> {
    Ok(ColumnType::nullable(Type::List(Box::new(ColumnType::required(ty)))))
}

/// A path, or why the text is none.
fn path(text: &str) -> std::result::Result<JsonPath, String> {
    JsonPath::parse(text).map_err(|error| {
        let reason = if text.starts_with('$') { error.to_string() } else { "a path begins with `$`".to_string() };
        format!("cannot read {} as a JSON path: {reason}", quoted(text))
    })
}

/// `json_get` of the arguments.
fn first_part(args: Vec<Typed>) -> std::result::Result<Typed, CallFault> {
    super::super::call("json_get", args)
}

fn get(args: &Arguments<'_>) -> Result<ArrayRef> {
    let (documents, paths) = (args.text(0)?, Readings::new(args, 1, path)?);
    args.write_nullable(|row, out| {
        let document = parse(documents.value(row));
        let found = paths.get(row)?.query(&document);
        let part = found.iter().next().filter(|part| !part.is_null());
        part.iter().for_each(|part| out.push_str(&part.to_string()));
        Ok(part.is_some())
    })
}

/// A list of documents a row: what `cell` adds; null where it gives false or an argument is null.
fn json_lists(args: &Arguments<'_>, cell: impl Fn(usize, &mut dyn FnMut(&Value)) -> Result<bool>) -> Result<ArrayRef> {
    let nulls = args.nulls()?;
    let item = ColumnType::required(Type::Json).to_field("item");
    let mut lists = ListBuilder::new(StringBuilder::new()).with_field(item);
    for row in 0..args.rows() {
        let values = lists.values();
        let present = nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row))
            && cell(row, &mut |value| values.append_value(value.to_string()))?;
        lists.append(present);
    }
    Ok(Arc::new(lists.finish()))
}
