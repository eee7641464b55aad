//! Parts of a text: found, cut out, taken apart. Positions count characters from 0.

use arrow::array::{ArrayRef, BooleanArray, Int64Array};
use datafusion_common::Result;

use super::super::arguments::Arguments;
use super::super::entry::{Function, total};
use super::super::list;
use super::super::takes::{Gives, Simple, Takes};
use super::{INT, TEXT, TEXT_AND_PART, TO_BOOL, TO_TEXT, count, entry, size};

const VALUE_TEXT: Takes = Takes::Value(Simple::Text);

/// The entries.
pub const LIBRARY: &[Function] = &[
    entry(
        "contains",
        "True if the part stands somewhere in the text, or the element in the list.",
        &[("contains(\"abc\", \"bc\")", "true"), ("contains([1, 2], 3)", "false")],
        &[
            total(TEXT_AND_PART, TO_BOOL, |args| test(args, |text, part| text.contains(part))),
            total(list::LIST_AND_ITEM, TO_BOOL, list::contains),
        ],
    ),
    entry(
        "starts_with",
        "True if the text begins with the part.",
        &[("starts_with(\"abc\", \"ab\")", "true")],
        &[total(TEXT_AND_PART, TO_BOOL, |args| test(args, |text, part| text.starts_with(part)))],
    ),
    entry(
        "ends_with",
        "True if the text ends with the part.",
        &[("ends_with(\"abc\", \"bc\")", "true")],
        &[total(TEXT_AND_PART, TO_BOOL, |args| test(args, |text, part| text.ends_with(part)))],
    ),
    entry(
        "position",
        "Where the part first stands in the text, or the element in the list, counted from 0; null if it does not.",
        &[
            ("position(\"néon\", \"on\")", "2"),
            ("position(\"a\", \"b\")", "null"),
            ("position([\"x\", \"y\"], \"y\")", "1"),
        ],
        &[
            total(TEXT_AND_PART, Gives::Nullable(Simple::Int), |args| position(args, |text, part| text.find(part))),
            total(list::LIST_AND_ITEM, Gives::Nullable(Simple::Int), list::position),
        ],
    ),
    entry(
        "last_position",
        "Where the part last stands in the text, counted from 0; null if it does not.",
        &[("last_position(\"a/b/c\", \"/\")", "3"), ("last_position(\"a\", \"b\")", "null")],
        &[total(TEXT_AND_PART, Gives::Nullable(Simple::Int), |args| position(args, |text, part| text.rfind(part)))],
    ),
    entry(
        "occurrences",
        "How often the part stands in the text, without overlaps; an empty part never does.",
        &[("occurrences(\"banana\", \"an\")", "2"), ("occurrences(\"aaa\", \"aa\")", "1")],
        &[total(TEXT_AND_PART, super::TO_INT, |args| {
            let (texts, parts) = (args.text(0)?, args.text(1)?);
            args.collect::<Int64Array, _>(|row| {
                let (text, part) = (texts.value(row), parts.value(row));
                Ok(if part.is_empty() { 0 } else { count(text.matches(part).count()) })
            })
        })],
    ),
    entry(
        "substring",
        "The characters from `start`, counted from 0, at most `count` of them. A negative start counts from the end.",
        &[("substring(\"stream\", 1, 3)", "tre"), ("substring(\"stream\", -3)", "eam")],
        &[
            total(&[("x", VALUE_TEXT), ("start", INT)], TO_TEXT, substring),
            total(&[("x", VALUE_TEXT), ("start", INT), ("count", INT)], TO_TEXT, substring),
        ],
    ),
    entry(
        "left",
        "The first `count` characters; with a negative count all but the last ones.",
        &[("left(\"stream\", 2)", "st"), ("left(\"stream\", -2)", "stre")],
        &[total(&[("x", VALUE_TEXT), ("count", INT)], TO_TEXT, left)],
    ),
    entry(
        "right",
        "The last `count` characters; with a negative count all but the first ones.",
        &[("right(\"stream\", 2)", "am"), ("right(\"stream\", -2)", "ream")],
        &[total(&[("x", VALUE_TEXT), ("count", INT)], TO_TEXT, right)],
    ),
    entry(
        "before",
        "What stands before the first occurrence of the part; the whole text if there is none.",
        &[("before(\"user@host\", \"@\")", "user"), ("before(\"abc\", \"-\")", "abc")],
        &[total(TEXT_AND_PART, TO_TEXT, |args| {
            let (texts, parts) = (args.text(0)?, args.text(1)?);
            args.write(|row, out| {
                let text = texts.value(row);
                out.push_str(text.split_once(parts.value(row)).map_or(text, |(before, _)| before));
                Ok(())
            })
        })],
    ),
    entry(
        "after",
        "What stands after the first occurrence of the part; empty if there is none.",
        &[("after(\"user@host\", \"@\")", "host"), ("after(\"abc\", \"-\")", "")],
        &[total(TEXT_AND_PART, TO_TEXT, |args| {
            let (texts, parts) = (args.text(0)?, args.text(1)?);
            args.write(|row, out| {
                out.push_str(texts.value(row).split_once(parts.value(row)).map_or("", |(_, after)| after));
                Ok(())
            })
        })],
    ),
    entry(
        "split",
        "The pieces between the separators; an empty separator gives the characters. `split(x, \",\")[0]` is the first \
         piece.",
        &[("split(\"a,b\", \",\")", "[\"a\",\"b\"]"), ("split(\"né\", \"\")", "[\"n\",\"é\"]")],
        &[total(&[("x", VALUE_TEXT), ("separator", VALUE_TEXT)], Gives::ListOf(Simple::Text), split)],
    ),
    entry(
        "lines",
        "The lines of the text, without the line breaks.",
        &[("lines(\"a\\nb\\n\")", "[\"a\",\"b\"]")],
        &[total(TEXT, Gives::ListOf(Simple::Text), |args| {
            let texts = args.text(0)?;
            args.write_lists(|row, list| texts.value(row).lines().try_for_each(|line| list.push(Some(line))))
        })],
    ),
    entry(
        "words",
        "The pieces between white space.",
        &[("words(\" to  be \")", "[\"to\",\"be\"]")],
        &[total(TEXT, Gives::ListOf(Simple::Text), |args| {
            let texts = args.text(0)?;
            args.write_lists(|row, list| texts.value(row).split_whitespace().try_for_each(|word| list.push(Some(word))))
        })],
    ),
];

fn test(args: &Arguments<'_>, f: impl Fn(&str, &str) -> bool) -> Result<ArrayRef> {
    let (left, right) = (args.text(0)?, args.text(1)?);
    args.collect::<BooleanArray, _>(|row| Ok(f(left.value(row), right.value(row))))
}

fn position(args: &Arguments<'_>, find: fn(&str, &str) -> Option<usize>) -> Result<ArrayRef> {
    let (texts, parts) = (args.text(0)?, args.text(1)?);
    args.collect_nullable::<Int64Array, _>(|row| {
        let text = texts.value(row);
        Ok(find(text, parts.value(row)).map(|byte| count(text[..byte].chars().count())))
    })
}

/// The byte at which character `index` begins; the end if there are fewer.
fn byte_of(text: &str, index: usize) -> usize {
    if text.is_ascii() {
        return index.min(text.len());
    }
    text.char_indices().nth(index).map_or(text.len(), |(byte, _)| byte)
}

fn substring(args: &Arguments<'_>) -> Result<ArrayRef> {
    let (texts, starts) = (args.text(0)?, args.int(1)?);
    let counts = if args.len() > 2 { Some(args.int(2)?) } else { None };
    args.write(|row, out| {
        let (text, start) = (texts.value(row), starts.value(row));
        let start = if start < 0 { count(text.chars().count()).saturating_add(start).max(0) } else { start };
        let rest = &text[byte_of(text, size(start))..];
        let taken = counts.as_ref().map_or(rest.len(), |counts| byte_of(rest, size(counts.value(row).max(0))));
        out.push_str(&rest[..taken]);
        Ok(())
    })
}

/// The byte after `kept` characters, or with a negative number the one before which so many are left.
fn boundary(text: &str, kept: i64) -> usize {
    let kept = if kept < 0 { count(text.chars().count()).saturating_add(kept).max(0) } else { kept };
    byte_of(text, size(kept))
}

fn left(args: &Arguments<'_>) -> Result<ArrayRef> {
    let (texts, counts) = (args.text(0)?, args.int(1)?);
    args.write(|row, out| {
        let text = texts.value(row);
        out.push_str(&text[..boundary(text, counts.value(row))]);
        Ok(())
    })
}

fn right(args: &Arguments<'_>) -> Result<ArrayRef> {
    let (texts, counts) = (args.text(0)?, args.int(1)?);
    args.write(|row, out| {
        let (text, kept) = (texts.value(row), counts.value(row));
        let skipped = if kept < 0 {
            kept.checked_neg().unwrap_or(i64::MAX)
        } else {
            count(text.chars().count()).saturating_sub(kept).max(0)
        };
        out.push_str(&text[byte_of(text, size(skipped))..]);
        Ok(())
    })
}

fn split(args: &Arguments<'_>) -> Result<ArrayRef> {
    let (texts, separators) = (args.text(0)?, args.text(1)?);
    args.write_lists(|row, list| {
        let (text, separator) = (texts.value(row), separators.value(row));
        if separator.is_empty() {
            let mut buffer = [0; 4];
            return text.chars().try_for_each(|c| list.push(Some(c.encode_utf8(&mut buffer))));
        }
        text.split(separator).try_for_each(|piece| list.push(Some(piece)))
    })
}
