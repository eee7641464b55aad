//! Functions of text. Positions and lengths count Unicode characters; the first character is at 0, as in lists.

use arrow::array::{ArrayRef, BooleanArray, Int64Array, ListBuilder, StringArray, StringBuilder};
use datafusion_common::Result;
use std::sync::Arc;
use tidebook_plan::{ColumnType, Type};

use super::super::arguments::Arguments;
use super::super::entry::{Function, Gives, Group, Overload, Simple, Takes};
use super::super::kernel::row_error;

/// Longest text that `repeat` and padding make, in bytes: a typing mistake must not take all memory.
const LONGEST: usize = 16 << 20;

const TEXT: &[(&str, Takes)] = &[("x", Takes::Text)];

const fn entry(
    name: &'static str,
    doc: &'static str,
    examples: &'static [(&'static str, &'static str)],
    overloads: &'static [Overload],
) -> Function {
    Function { name, group: Group::Text, doc, examples, overloads }
}

const fn total(
    parameters: &'static [(&'static str, Takes)],
    gives: Gives,
    evaluate: fn(&Arguments<'_>) -> Result<ArrayRef>,
) -> Overload {
    Overload { parameters, repeats: false, gives, fallible: false, evaluate }
}

/// The entries.
pub const LIBRARY: &[Function] = &[
    entry(
        "length",
        "Number of characters of a text, or of elements of a list.",
        &[("length(\"né\")", "2"), ("length([1, 2, 3])", "3")],
        &[
            total(TEXT, Gives::Value(Simple::Int), length),
            total(&[("x", Takes::List)], Gives::Value(Simple::Int), super::super::nested::list_length),
        ],
    ),
    entry(
        "lower",
        "The text in lower case.",
        &[("lower(\"ÀB\")", "àb")],
        &[total(TEXT, Gives::Value(Simple::Text), |args| map(args, |text| text.to_lowercase()))],
    ),
    entry(
        "upper",
        "The text in upper case.",
        &[("upper(\"straße\")", "STRASSE")],
        &[total(TEXT, Gives::Value(Simple::Text), |args| map(args, |text| text.to_uppercase()))],
    ),
    entry(
        "trim",
        "The text without white space, or the given characters, at both ends.",
        &[("trim(\"  a \")", "a"), ("trim(\"--a-\", \"-\")", "a")],
        &[
            total(TEXT, Gives::Value(Simple::Text), |args| map(args, |text| text.trim().to_string())),
            total(&[("x", Takes::Text), ("characters", Takes::Text)], Gives::Value(Simple::Text), |args| {
                map2(args, |text, set| text.trim_matches(|c| set.contains(c)).to_string())
            }),
        ],
    ),
    entry(
        "trim_start",
        "The text without white space at its start.",
        &[("trim_start(\"  a \")", "a ")],
        &[total(TEXT, Gives::Value(Simple::Text), |args| map(args, |text| text.trim_start().to_string()))],
    ),
    entry(
        "trim_end",
        "The text without white space at its end.",
        &[("trim_end(\"  a \")", "  a")],
        &[total(TEXT, Gives::Value(Simple::Text), |args| map(args, |text| text.trim_end().to_string()))],
    ),
    entry(
        "reverse",
        "The characters from last to first.",
        &[("reverse(\"abc\")", "cba")],
        &[total(TEXT, Gives::Value(Simple::Text), |args| map(args, |text| text.chars().rev().collect()))],
    ),
    entry(
        "replace",
        "Every place where `from` stands, replaced by `to`; an empty `from` stands nowhere.",
        &[("replace(\"aXbX\", \"X\", \"-\")", "a-b-")],
        &[total(
            &[("x", Takes::Text), ("from", Takes::Text), ("to", Takes::Text)],
            Gives::Value(Simple::Text),
            replace,
        )],
    ),
    entry(
        "contains",
        "True if the part stands somewhere in the text.",
        &[("contains(\"abc\", \"bc\")", "true")],
        &[total(&[("x", Takes::Text), ("part", Takes::Text)], Gives::Value(Simple::Bool), |args| {
            test(args, |text, part| text.contains(part))
        })],
    ),
    entry(
        "starts_with",
        "True if the text begins with the part.",
        &[("starts_with(\"abc\", \"ab\")", "true")],
        &[total(&[("x", Takes::Text), ("part", Takes::Text)], Gives::Value(Simple::Bool), |args| {
            test(args, |text, part| text.starts_with(part))
        })],
    ),
    entry(
        "ends_with",
        "True if the text ends with the part.",
        &[("ends_with(\"abc\", \"bc\")", "true")],
        &[total(&[("x", Takes::Text), ("part", Takes::Text)], Gives::Value(Simple::Bool), |args| {
            test(args, |text, part| text.ends_with(part))
        })],
    ),
    entry(
        "position",
        "Where the part first stands in the text, counted from 0; null if it does not.",
        &[("position(\"néon\", \"on\")", "2"), ("position(\"a\", \"b\")", "null")],
        &[total(&[("x", Takes::Text), ("part", Takes::Text)], Gives::Nullable(Simple::Int), position)],
    ),
    entry(
        "substring",
        "The characters from `start`, counted from 0, at most `count` of them. A negative start counts from the end.",
        &[("substring(\"stream\", 1, 3)", "tre"), ("substring(\"stream\", -3)", "eam")],
        &[
            total(&[("x", Takes::Text), ("start", Takes::Int)], Gives::Value(Simple::Text), substring),
            total(
                &[("x", Takes::Text), ("start", Takes::Int), ("count", Takes::Int)],
                Gives::Value(Simple::Text),
                substring,
            ),
        ],
    ),
    entry(
        "split",
        "The pieces between the separators; an empty separator gives the characters.",
        &[("split(\"a,b\", \",\")", "[\"a\",\"b\"]")],
        &[total(&[("x", Takes::Text), ("separator", Takes::Text)], Gives::Texts, split)],
    ),
    entry(
        "concat",
        "The arguments one after the other; a null is empty.",
        &[("concat(\"a\", null, \"b\")", "ab"), ("concat(\"n\", 1)", "n1")],
        &[Overload {
            parameters: &[("x", Takes::Any)],
            repeats: true,
            gives: Gives::Value(Simple::Text),
            fallible: false,
            evaluate: super::evaluate_interpolate,
        }],
    ),
    entry(
        "repeat",
        "The text so many times; a result beyond 16 MiB is a row error.",
        &[("repeat(\"ab\", 3)", "ababab")],
        &[Overload {
            parameters: &[("x", Takes::Text), ("times", Takes::Int)],
            repeats: false,
            gives: Gives::Value(Simple::Text),
            fallible: true,
            evaluate: repeat,
        }],
    ),
    entry(
        "pad_start",
        "The text, filled up at its start to so many characters.",
        &[("pad_start(\"7\", 3, \"0\")", "007")],
        &[Overload {
            parameters: &[("x", Takes::Text), ("width", Takes::Int), ("fill", Takes::Text)],
            repeats: false,
            gives: Gives::Value(Simple::Text),
            fallible: true,
            evaluate: |args| pad(args, true),
        }],
    ),
    entry(
        "pad_end",
        "The text, filled up at its end to so many characters.",
        &[("pad_end(\"7\", 3, \".\")", "7..")],
        &[Overload {
            parameters: &[("x", Takes::Text), ("width", Takes::Int), ("fill", Takes::Text)],
            repeats: false,
            gives: Gives::Value(Simple::Text),
            fallible: true,
            evaluate: |args| pad(args, false),
        }],
    ),
    entry(
        "hash",
        "A number that is the same for the same text in every run (FNV-1a, 64 bits).",
        &[("hash(\"\")", "-3750763034362895579")],
        &[total(TEXT, Gives::Value(Simple::Int), hash)],
    ),
];

fn map(args: &Arguments<'_>, f: impl Fn(&str) -> String) -> Result<ArrayRef> {
    let texts = args.text(0)?;
    args.collect::<StringArray, _>(|row| Ok(f(texts.value(row))))
}

fn map2(args: &Arguments<'_>, f: impl Fn(&str, &str) -> String) -> Result<ArrayRef> {
    let (left, right) = (args.text(0)?, args.text(1)?);
    args.collect::<StringArray, _>(|row| Ok(f(left.value(row), right.value(row))))
}

fn test(args: &Arguments<'_>, f: impl Fn(&str, &str) -> bool) -> Result<ArrayRef> {
    let (left, right) = (args.text(0)?, args.text(1)?);
    args.collect::<BooleanArray, _>(|row| Ok(f(left.value(row), right.value(row))))
}

/// A length as an int; none is beyond its range.
pub(in super::super) fn count(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

fn length(args: &Arguments<'_>) -> Result<ArrayRef> {
    let texts = args.text(0)?;
    args.collect::<Int64Array, _>(|row| Ok(count(texts.value(row).chars().count())))
}

fn replace(args: &Arguments<'_>) -> Result<ArrayRef> {
    let (texts, from, to) = (args.text(0)?, args.text(1)?, args.text(2)?);
    args.collect::<StringArray, _>(|row| {
        let (text, from) = (texts.value(row), from.value(row));
        Ok(if from.is_empty() { text.to_string() } else { text.replace(from, to.value(row)) })
    })
}

fn position(args: &Arguments<'_>) -> Result<ArrayRef> {
    let (texts, parts) = (args.text(0)?, args.text(1)?);
    args.collect_nullable::<Int64Array, _>(|row| {
        let text = texts.value(row);
        Ok(text.find(parts.value(row)).map(|byte| count(text[..byte].chars().count())))
    })
}

fn substring(args: &Arguments<'_>) -> Result<ArrayRef> {
    let (texts, starts) = (args.text(0)?, args.int(1)?);
    let counts = if args.len() > 2 { Some(args.int(2)?) } else { None };
    args.collect::<StringArray, _>(|row| {
        let (text, start) = (texts.value(row), starts.value(row));
        let skipped = if start < 0 { count(text.chars().count()).saturating_add(start).max(0) } else { start };
        let taken = counts.as_ref().map_or(i64::MAX, |counts| counts.value(row).max(0));
        let size = |value: i64| usize::try_from(value).unwrap_or(usize::MAX);
        Ok(text.chars().skip(size(skipped)).take(size(taken)).collect::<String>())
    })
}

fn split(args: &Arguments<'_>) -> Result<ArrayRef> {
    let (texts, separators) = (args.text(0)?, args.text(1)?);
    let nulls = args.nulls()?;
    let item = ColumnType::required(Type::Text).to_field("item");
    let mut lists = ListBuilder::new(StringBuilder::new()).with_field(item);
    for row in 0..args.rows() {
        if nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            lists.append_null();
            continue;
        }
        let (text, separator) = (texts.value(row), separators.value(row));
        if separator.is_empty() {
            text.chars().for_each(|c| lists.values().append_value(c.to_string()));
        } else {
            text.split(separator).for_each(|piece| lists.values().append_value(piece));
        }
        lists.append(true);
    }
    Ok(Arc::new(lists.finish()))
}

fn repeat(args: &Arguments<'_>) -> Result<ArrayRef> {
    let (texts, times) = (args.text(0)?, args.int(1)?);
    args.collect::<StringArray, _>(|row| {
        let (text, times) = (texts.value(row), usize::try_from(times.value(row)).unwrap_or(0));
        match text.len().checked_mul(times) {
            Some(size) if size <= LONGEST => Ok(text.repeat(times)),
            _ => Err(row_error(format!("repeating {} bytes {times} times makes too long a text", text.len()))),
        }
    })
}

fn pad(args: &Arguments<'_>, at_start: bool) -> Result<ArrayRef> {
    let (texts, widths, fills) = (args.text(0)?, args.int(1)?, args.text(2)?);
    args.collect::<StringArray, _>(|row| {
        let (text, fill) = (texts.value(row), fills.value(row));
        let missing = widths.value(row).saturating_sub(count(text.chars().count())).max(0);
        let missing = usize::try_from(missing).unwrap_or(usize::MAX);
        if missing > LONGEST / 4 {
            return Err(row_error(format!("a text of {} characters is too long", widths.value(row))));
        }
        // Without a fill the cycle is empty, and the text stays as it is.
        let filling: String = fill.chars().cycle().take(missing).collect();
        Ok(if at_start { filling + text } else { format!("{text}{filling}") })
    })
}

/// FNV-1a (Fowler, Noll, Vo).
fn hash(args: &Arguments<'_>) -> Result<ArrayRef> {
    let texts = args.text(0)?;
    args.collect::<Int64Array, _>(|row| {
        let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        let hash = texts.value(row).bytes().fold(0xcbf2_9ce4_8422_2325, step);
        Ok(i64::from_le_bytes(hash.to_le_bytes()))
    })
}
