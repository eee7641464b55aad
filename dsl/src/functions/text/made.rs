//! Texts made of texts: joined, filled up, replaced, compared.

use arrow::array::{ArrayRef, Int64Array};
use datafusion_common::utils::datafusion_strsim;
use datafusion_common::{Result, ScalarValue};
use tidebook_plan::{ColumnType, Type};

use super::super::arguments::Arguments;
use super::super::entry::{Fails, Function, Overload, fallible, rewritten, total};
use super::super::kernel::row_error;
use super::super::list;
use super::super::prepare::constant;
use super::super::takes::{Gives, Simple, Takes};
use super::super::typed::Typed;
use super::super::written::LONGEST;
use super::case::map;
use super::{INT, TEXT, TO_INT, TO_TEXT, count, entry, size};

const VALUE_TEXT: Takes = Takes::Value(Simple::Text);

/// The entries.
pub const LIBRARY: &[Function] = &[
    entry(
        "concat",
        "The arguments one after the other: lists as one list; anything else as text, in which a null is empty.",
        &[("concat(\"a\", null, \"b\")", "ab"), ("concat(\"n\", 1)", "n1"), ("concat([1], [2, 3])", "[1,2,3]")],
        &[
            total(list::TWO_LISTS, Gives::Items, list::concat).repeating(),
            Overload {
                fails: Fails::Never,
                ..rewritten(&[("x", Takes::Single)], TO_TEXT_ALWAYS, |args| Ok(super::interpolate(args))).repeating()
            },
        ],
    ),
    entry(
        "replace",
        "Every occurrence of `from` replaced by `to`; an empty `from` occurs nowhere. A result beyond 16 MiB of a \
         shorter text is a row error.",
        &[("replace(\"a-b-c\", \"-\", \"+\")", "a+b+c")],
        &[fallible(&[("x", VALUE_TEXT), ("from", VALUE_TEXT), ("to", VALUE_TEXT)], TO_TEXT, replace)
            .failing_if(can_grow)],
    ),
    entry(
        "translate",
        "Each character that stands in `from` replaced by the one at the same place in `to`, or left out if `to` is \
         shorter.",
        &[("translate(\"2026-11\", \"-0\", \"/o\")", "2o26/11"), ("translate(\"(1)\", \"()\", \"\")", "1")],
        &[total(&[("x", VALUE_TEXT), ("from", VALUE_TEXT), ("to", VALUE_TEXT)], TO_TEXT, translate)],
    ),
    entry(
        "repeat",
        "The text so many times; a result beyond 16 MiB is a row error.",
        &[("repeat(\"ab\", 3)", "ababab"), ("repeat(\"ab\", -1)", "")],
        &[fallible(&[("x", VALUE_TEXT), ("times", INT)], TO_TEXT, repeat)],
    ),
    entry(
        "pad_start",
        "The text, filled up at its start to so many characters, with blanks or the given text.",
        &[("pad_start(\"7\", 3, \"0\")", "007"), ("pad_start(\"ab\", 3)", " ab")],
        &[
            fallible(&[("x", VALUE_TEXT), ("width", INT)], TO_TEXT, |args| pad(args, true)),
            fallible(&[("x", VALUE_TEXT), ("width", INT), ("fill", VALUE_TEXT)], TO_TEXT, |args| pad(args, true)),
        ],
    ),
    entry(
        "pad_end",
        "The text, filled up at its end to so many characters, with blanks or the given text.",
        &[("pad_end(\"7\", 3, \".\")", "7.."), ("pad_end(\"ab\", 1)", "ab")],
        &[
            fallible(&[("x", VALUE_TEXT), ("width", INT)], TO_TEXT, |args| pad(args, false)),
            fallible(&[("x", VALUE_TEXT), ("width", INT), ("fill", VALUE_TEXT)], TO_TEXT, |args| pad(args, false)),
        ],
    ),
    entry(
        "reverse",
        "The characters of a text, or the elements of a list, in the opposite order.",
        &[("reverse(\"né\")", "én"), ("reverse([1, 2, 3])", "[3,2,1]")],
        &[
            total(TEXT, TO_TEXT, |args| map(args, |text, out| out.extend(text.chars().rev()))),
            total(list::LIST, Gives::Items, list::reverse),
        ],
    ),
    entry(
        "levenshtein",
        "How many characters have to be inserted, deleted or replaced to make one text of the other. Two texts that \
         are too long to be compared in reasonable time (a billion pairs of characters) are a row error.",
        &[("levenshtein(\"kitten\", \"sitting\")", "3")],
        &[fallible(&[("x", VALUE_TEXT), ("y", VALUE_TEXT)], TO_INT, levenshtein)],
    ),
    entry(
        "code_point",
        "The number of the first character in Unicode; null for an empty text.",
        &[("code_point(\"é\")", "233"), ("code_point(\"\")", "null")],
        &[total(TEXT, Gives::Nullable(Simple::Int), |args| {
            let texts = args.text(0)?;
            args.collect_nullable::<Int64Array, _>(|row| {
                Ok(texts.value(row).chars().next().map(|c| i64::from(u32::from(c))))
            })
        })],
    ),
    entry(
        "from_code_point",
        "The character of this number in Unicode; a number that stands for none is a row error.",
        &[("from_code_point(233)", "é")],
        &[fallible(&[("number", INT)], TO_TEXT, from_code_point)],
    ),
];

/// A text, whatever the arguments are.
const TO_TEXT_ALWAYS: Gives = Gives::Found("text", |_| Ok(ColumnType::required(Type::Text)));

/// What has been appended since `start` must not be long, unless what it was made of is.
fn bounded(out: &str, start: usize, of: usize, what: &str) -> Result<()> {
    let made = out.len() - start;
    if made > LONGEST.max(of) {
        return Err(row_error(format!("{what} makes a text of {made} bytes, which is too long")));
    }
    Ok(())
}

/// True unless what is replaced is known to be no shorter than what comes in its place.
fn can_grow(args: &[Typed]) -> bool {
    match (args.get(1).and_then(constant), args.get(2).and_then(constant)) {
        (Some(ScalarValue::Utf8(Some(from))), Some(ScalarValue::Utf8(Some(to)))) => to.len() > from.len(),
        _ => true,
    }
}

fn replace(args: &Arguments<'_>) -> Result<ArrayRef> {
    let (texts, from, to) = (args.text(0)?, args.text(1)?, args.text(2)?);
    args.write(|row, out| {
        let (text, from, to) = (texts.value(row), from.value(row), to.value(row));
        if from.is_empty() {
            out.push_str(text);
            return Ok(());
        }
        let start = out.len();
        for (index, piece) in text.split(from).enumerate() {
            if index > 0 {
                out.push_str(to);
            }
            out.push_str(piece);
            bounded(out, start, text.len(), "replacing")?;
        }
        Ok(())
    })
}

fn translate(args: &Arguments<'_>) -> Result<ArrayRef> {
    let (texts, from, to) = (args.text(0)?, args.text(1)?, args.text(2)?);
    args.write(|row, out| {
        let (from, to) = (from.value(row), to.value(row));
        for c in texts.value(row).chars() {
            match from.chars().position(|other| other == c) {
                Some(place) => out.extend(to.chars().nth(place)),
                None => out.push(c),
            }
        }
        Ok(())
    })
}

fn repeat(args: &Arguments<'_>) -> Result<ArrayRef> {
    let (texts, times) = (args.text(0)?, args.int(1)?);
    args.write(|row, out| {
        let (text, times) = (texts.value(row), times.value(row).max(0));
        if text.len().saturating_mul(size(times)) > LONGEST {
            return Err(row_error(format!("repeating {} bytes {times} times makes too long a text", text.len())));
        }
        if !text.is_empty() {
            (0..times).for_each(|_| out.push_str(text));
        }
        Ok(())
    })
}

fn pad(args: &Arguments<'_>, at_start: bool) -> Result<ArrayRef> {
    let (texts, widths) = (args.text(0)?, args.int(1)?);
    let fills = if args.len() > 2 { Some(args.text(2)?) } else { None };
    args.write(|row, out| {
        let text = texts.value(row);
        let fill = fills.as_ref().map_or(" ", |fills| fills.value(row));
        let missing = size(widths.value(row).saturating_sub(count(text.chars().count())).max(0));
        if missing > LONGEST / 4 {
            return Err(row_error(format!("a text of {} characters is too long", widths.value(row))));
        }
        // Without a fill the cycle is empty, and the text stays as it is.
        let filling = fill.chars().cycle().take(missing);
        if at_start {
            out.extend(filling);
            out.push_str(text);
        } else {
            out.push_str(text);
            out.extend(filling);
        }
        Ok(())
    })
}

fn levenshtein(args: &Arguments<'_>) -> Result<ArrayRef> {
    /// Work for a second or so: the time grows with the product of the lengths.
    const MOST_PAIRS: usize = 1_000_000_000;
    let (left, right) = (args.text(0)?, args.text(1)?);
    args.collect::<Int64Array, _>(|row| {
        let (left, right) = (left.value(row), right.value(row));
        if left.len().saturating_mul(right.len()) > MOST_PAIRS {
            let message = format!("texts of {} and {} bytes are too long to compare", left.len(), right.len());
            return Err(row_error(message));
        }
        Ok(count(datafusion_strsim::levenshtein(left, right)))
    })
}

fn from_code_point(args: &Arguments<'_>) -> Result<ArrayRef> {
    let numbers = args.int(0)?;
    args.write(|row, out| {
        let number = numbers.value(row);
        let c = u32::try_from(number).ok().and_then(char::from_u32);
        out.push(c.ok_or_else(|| row_error(format!("no character has the number {number}")))?);
        Ok(())
    })
}
