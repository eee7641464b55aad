//! Letters, ends and characters of a text.

use arrow::array::{ArrayRef, BooleanArray, Int64Array};
use datafusion_common::Result;

use super::super::arguments::Arguments;
use super::super::entry::{Function, total};
use super::super::takes::{Gives, Simple};
use super::{TEXT, TEXT_AND_PART, TEXT_AND_SET, TO_INT, TO_TEXT, count, entry};

/// The entries.
pub const LIBRARY: &[Function] = &[
    entry("lower", "The text in lower case.", &[("lower(\"ÀB\")", "àb")], &[total(TEXT, TO_TEXT, lower)]),
    entry("upper", "The text in upper case.", &[("upper(\"straße\")", "STRASSE")], &[total(TEXT, TO_TEXT, upper)]),
    entry(
        "title",
        "The text with the first letter of each word in upper case and the others in lower case. Words are runs of \
         letters and digits.",
        &[("title(\"hello wORLD\")", "Hello World"), ("title(\"élan-vital\")", "Élan-Vital")],
        &[total(TEXT, TO_TEXT, title)],
    ),
    entry(
        "trim",
        "The text without white space, or the given characters, at both ends.",
        &[("trim(\"  a \")", "a"), ("trim(\"--a-\", \"-\")", "a")],
        &[
            total(TEXT, TO_TEXT, |args| map(args, |text, out| out.push_str(text.trim()))),
            total(TEXT_AND_SET, TO_TEXT, |args| strip(args, |text, set| text.trim_matches(|c| set.contains(c)))),
        ],
    ),
    entry(
        "trim_start",
        "The text without white space, or the given characters, at its start.",
        &[("trim_start(\"  a \")", "a "), ("trim_start(\"007\", \"0\")", "7")],
        &[
            total(TEXT, TO_TEXT, |args| map(args, |text, out| out.push_str(text.trim_start()))),
            total(TEXT_AND_SET, TO_TEXT, |args| strip(args, |text, set| text.trim_start_matches(|c| set.contains(c)))),
        ],
    ),
    entry(
        "trim_end",
        "The text without white space, or the given characters, at its end.",
        &[("trim_end(\"  a \")", "  a"), ("trim_end(\"a;;\", \";\")", "a")],
        &[
            total(TEXT, TO_TEXT, |args| map(args, |text, out| out.push_str(text.trim_end()))),
            total(TEXT_AND_SET, TO_TEXT, |args| strip(args, |text, set| text.trim_end_matches(|c| set.contains(c)))),
        ],
    ),
    entry(
        "remove_prefix",
        "The text without the part, if it begins with it.",
        &[("remove_prefix(\"www.example.com\", \"www.\")", "example.com"), ("remove_prefix(\"abc\", \"b\")", "abc")],
        &[total(TEXT_AND_PART, TO_TEXT, |args| strip(args, |text, part| text.strip_prefix(part).unwrap_or(text)))],
    ),
    entry(
        "remove_suffix",
        "The text without the part, if it ends with it.",
        &[("remove_suffix(\"report.pdf\", \".pdf\")", "report"), ("remove_suffix(\"abc\", \"b\")", "abc")],
        &[total(TEXT_AND_PART, TO_TEXT, |args| strip(args, |text, part| text.strip_suffix(part).unwrap_or(text)))],
    ),
    entry(
        "length",
        "Number of characters of a text, of elements of a list or a vector, or of bytes.",
        &[("length(\"né\")", "2"), ("length([1, 2, 3])", "3"), ("length(bytes(\"né\"))", "3")],
        &[
            total(TEXT, TO_INT, length),
            total(super::super::list::LIST, TO_INT, super::super::list::length),
            total(super::super::vector::ONE, TO_INT, super::super::vector::length),
            total(super::BYTES, TO_INT, super::bytes::length),
        ],
    ),
    entry(
        "byte_length",
        "Number of bytes of the text in UTF-8.",
        &[("byte_length(\"né\")", "3")],
        &[total(TEXT, TO_INT, |args| {
            let texts = args.text(0)?;
            args.collect::<Int64Array, _>(|row| Ok(count(texts.value(row).len())))
        })],
    ),
    entry(
        "is_ascii",
        "True if all characters are ASCII.",
        &[("is_ascii(\"abc\")", "true"), ("is_ascii(\"né\")", "false")],
        &[total(TEXT, Gives::Value(Simple::Bool), |args| {
            let texts = args.text(0)?;
            args.collect::<BooleanArray, _>(|row| Ok(texts.value(row).is_ascii()))
        })],
    ),
];

/// A text for each text, appended to what it is given.
pub(super) fn map(args: &Arguments<'_>, f: impl Fn(&str, &mut String)) -> Result<ArrayRef> {
    let texts = args.text(0)?;
    args.write(|row, out| {
        f(texts.value(row), out);
        Ok(())
    })
}

/// A part of the first text, by the second.
fn strip(args: &Arguments<'_>, part: impl for<'t> Fn(&'t str, &str) -> &'t str) -> Result<ArrayRef> {
    let (texts, others) = (args.text(0)?, args.text(1)?);
    args.write(|row, out| {
        out.push_str(part(texts.value(row), others.value(row)));
        Ok(())
    })
}

fn lower(args: &Arguments<'_>) -> Result<ArrayRef> {
    map(args, |text, out| {
        if text.is_ascii() {
            let start = out.len();
            out.push_str(text);
            out[start..].make_ascii_lowercase();
        } else {
            out.push_str(&text.to_lowercase());
        }
    })
}

fn upper(args: &Arguments<'_>) -> Result<ArrayRef> {
    map(args, |text, out| {
        if text.is_ascii() {
            let start = out.len();
            out.push_str(text);
            out[start..].make_ascii_uppercase();
        } else {
            out.push_str(&text.to_uppercase());
        }
    })
}

fn title(args: &Arguments<'_>) -> Result<ArrayRef> {
    map(args, |text, out| {
        let mut inside = false;
        for c in text.chars() {
            if inside {
                out.extend(c.to_lowercase());
            } else {
                out.extend(c.to_uppercase());
            }
            inside = c.is_alphanumeric();
        }
    })
}

fn length(args: &Arguments<'_>) -> Result<ArrayRef> {
    let texts = args.text(0)?;
    args.collect::<Int64Array, _>(|row| {
        let text = texts.value(row);
        Ok(count(if text.is_ascii() { text.len() } else { text.chars().count() }))
    })
}
