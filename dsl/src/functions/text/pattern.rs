//! Regular expressions, in the syntax of Rust's `regex`: no look-around, linear time.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Int64Array, StringArray, StructArray};
use arrow::datatypes::DataType;
use datafusion_common::{DataFusionError, Result, ScalarValue};
use regex::{Captures, Regex, RegexBuilder};
use tidebook_plan::{ColumnType, Type};

use super::super::arguments::Arguments;
use super::super::cast::show::quoted;
use super::super::entry::{Function, Overload, Parameters, fallible, total};
use super::super::group::Group;
use super::super::kernel::row_error;
use super::super::prepare::{Prepare, Readings, constant, prepared};
use super::super::takes::{Gives, Simple, Takes};
use super::super::typed::{CallFault, FaultKind, Typed};
use super::super::written::LONGEST;
use super::{INT, TO_BOOL, TO_INT, TO_TEXT, count};

const VALUE_TEXT: Takes = Takes::Value(Simple::Text);
const PATTERN: Parameters = &[("x", VALUE_TEXT), ("pattern", VALUE_TEXT)];
const PATTERN_AND_GROUP: Parameters = &[("x", VALUE_TEXT), ("pattern", VALUE_TEXT), ("group", INT)];
const PREPARES: &[Prepare] = &[Prepare { argument: 1, read: |text| prepared(read(text)) }];

/// A way to call that fails only by a pattern from the data.
const fn by_pattern(
    parameters: Parameters,
    gives: Gives,
    evaluate: fn(&Arguments<'_>) -> Result<ArrayRef>,
) -> Overload {
    fallible(parameters, gives, evaluate).reading(PREPARES).unless_constant()
}

const fn entry(
    name: &'static str,
    doc: &'static str,
    examples: &'static [(&'static str, &'static str)],
    overloads: &'static [Overload],
) -> Function {
    Function { name, group: Group::Patterns, doc, examples, overloads }
}

/// The entries.
pub const PATTERNS: &[Function] = &[
    entry(
        "matches",
        "True if the regular expression matches somewhere in the text.",
        &[("matches(\"a12\", '[0-9]+$')", "true"), ("matches(\"a\", \"^b\")", "false")],
        &[by_pattern(PATTERN, TO_BOOL, matches)],
    ),
    entry(
        "regex_extract",
        "The first match, or the given group of it; null if nothing matches.",
        &[("regex_extract(\"id=42;\", 'id=([0-9]+)', 1)", "42"), ("regex_extract(\"a\", \"b\")", "null")],
        &[
            by_pattern(PATTERN, Gives::Nullable(Simple::Text), extract),
            by_pattern(PATTERN_AND_GROUP, Gives::Nullable(Simple::Text), extract),
        ],
    ),
    entry(
        "regex_extract_all",
        "All matches one after the other, or the given group of each (null where it took no part).",
        &[
            ("regex_extract_all(\"a1b22\", '[0-9]+')", "[\"1\",\"22\"]"),
            ("regex_extract_all(\"k=v, x=y\", '([a-z])=([a-z])', 2)", "[\"v\",\"y\"]"),
        ],
        &[by_pattern(PATTERN, TO_TEXTS, extract_all), by_pattern(PATTERN_AND_GROUP, TO_TEXTS, extract_all)],
    ),
    entry(
        "regex_groups",
        "The groups of the first match as a list, in their order; null if nothing matches.",
        &[("regex_groups(\"2026-11\", '([0-9]+)-([0-9]+)')", "[\"2026\",\"11\"]")],
        &[by_pattern(PATTERN, NULLABLE_TEXTS, groups)],
    ),
    entry(
        "regex_record",
        "The named groups of the first match as a record with a field for each; its fields are null if nothing matches. \
         The pattern is a constant.",
        &[("regex_record(\"10:20\", '(?P<h>[0-9]+):(?P<m>[0-9]+)').m", "20")],
        &[by_pattern(PATTERN, Gives::Found("record", record_type), record)],
    ),
    entry(
        "regex_position",
        "Where the first match begins, counted from 0; null if nothing matches.",
        &[("regex_position(\"né1\", '[0-9]')", "2")],
        &[by_pattern(PATTERN, Gives::Nullable(Simple::Int), position)],
    ),
    entry(
        "regex_count",
        "How many matches there are, without overlaps.",
        &[("regex_count(\"a1b22\", '[0-9]+')", "2")],
        &[by_pattern(PATTERN, TO_INT, |args| {
            let (texts, patterns) = (args.text(0)?, Readings::new(args, 1, read)?);
            args.collect::<Int64Array, _>(|row| Ok(count(patterns.get(row)?.find_iter(texts.value(row)).count())))
        })],
    ),
    entry(
        "regex_replace",
        "Every match replaced; `$1` or `${name}` in the replacement stands for a group, `$$` for a dollar. A result \
         beyond 16 MiB of a shorter text is a row error.",
        &[
            ("regex_replace(\"a1b22\", '[0-9]+', \"#\")", "a#b#"),
            ("regex_replace(\"doe, jane\", '([a-z]+), ([a-z]+)', \"$2 $1\")", "jane doe"),
        ],
        &[fallible(&[("x", VALUE_TEXT), ("pattern", VALUE_TEXT), ("to", VALUE_TEXT)], TO_TEXT, replace)
            .reading(PREPARES)],
    ),
    entry(
        "regex_split",
        "The pieces between the matches.",
        &[("regex_split(\"a, b;c\", '[,;] *')", "[\"a\",\"b\",\"c\"]")],
        &[by_pattern(PATTERN, TO_TEXTS, |args| {
            let (texts, patterns) = (args.text(0)?, Readings::new(args, 1, read)?);
            args.write_lists(|row, list| {
                patterns.get(row)?.split(texts.value(row)).try_for_each(|piece| list.push(Some(piece)))
            })
        })],
    ),
    entry(
        "regex_escape",
        "A pattern that matches exactly this text.",
        &[("regex_escape(\"1+1\")", "1\\+1")],
        &[total(super::TEXT, TO_TEXT, |args| super::case::map(args, |text, out| out.push_str(&regex::escape(text))))],
    ),
];

const TO_TEXTS: Gives = Gives::Found("[text?]", |args| texts_type(args.iter().any(|arg| arg.ty.nullable)));
const NULLABLE_TEXTS: Gives = Gives::Found("[text?]?", |_| texts_type(true));

fn texts_type(nullable: bool) -> std::result::Result<ColumnType, CallFault> {
    Ok(ColumnType { ty: Type::List(Box::new(ColumnType::nullable(Type::Text))), nullable })
}

/// A compiled pattern, or why the text is none.
fn read(text: &str) -> std::result::Result<Regex, String> {
    /// Most memory that one pattern takes when compiled, in bytes.
    const LARGEST: usize = 4 << 20;
    RegexBuilder::new(text).size_limit(LARGEST).build().map_err(|error| {
        // The message of `regex` draws the pattern; its last line says what is wrong.
        let message = error.to_string();
        let reason = message.lines().last().unwrap_or_default().trim_start_matches("error: ");
        format!("cannot read {} as a regular expression: {reason}", quoted(text))
    })
}

fn matches(args: &Arguments<'_>) -> Result<ArrayRef> {
    let (texts, patterns) = (args.text(0)?, Readings::new(args, 1, read)?);
    args.collect::<BooleanArray, _>(|row| Ok(patterns.get(row)?.is_match(texts.value(row))))
}

/// The number of the group that a row asks for: 0 is the whole match.
fn group_of(args: &Arguments<'_>) -> Result<impl Fn(usize) -> Option<usize>> {
    let groups = if args.len() > 2 { Some(args.int(2)?) } else { None };
    Ok(move |row: usize| groups.as_ref().map_or(Some(0), |groups| usize::try_from(groups.value(row)).ok()))
}

fn extract(args: &Arguments<'_>) -> Result<ArrayRef> {
    let (texts, patterns, group) = (args.text(0)?, Readings::new(args, 1, read)?, group_of(args)?);
    args.write_nullable(|row, out| {
        let (pattern, text) = (patterns.get(row)?, texts.value(row));
        let part = match group(row) {
            Some(0) => pattern.find(text),
            Some(group) => pattern.captures(text).and_then(|found| found.get(group)),
            None => None,
        };
        out.push_str(part.map_or("", |part| part.as_str()));
        Ok(part.is_some())
    })
}

fn extract_all(args: &Arguments<'_>) -> Result<ArrayRef> {
    let (texts, patterns, group) = (args.text(0)?, Readings::new(args, 1, read)?, group_of(args)?);
    args.write_lists(|row, list| {
        let (pattern, text) = (patterns.get(row)?, texts.value(row));
        match group(row) {
            Some(0) => pattern.find_iter(text).try_for_each(|part| list.push(Some(part.as_str()))),
            group => pattern
                .captures_iter(text)
                .try_for_each(|found| list.push(group.and_then(|group| found.get(group)).map(|part| part.as_str()))),
        }
    })
}

fn groups(args: &Arguments<'_>) -> Result<ArrayRef> {
    let (texts, patterns) = (args.text(0)?, Readings::new(args, 1, read)?);
    args.write_nullable_lists(|row, list| {
        let (pattern, text) = (patterns.get(row)?, texts.value(row));
        let Some(found) = pattern.captures(text) else { return Ok(false) };
        found.iter().skip(1).try_for_each(|part| list.push(part.map(|part| part.as_str())))?;
        Ok(true)
    })
}

/// The record of the named groups of a constant pattern.
fn record_type(args: &[Typed]) -> std::result::Result<ColumnType, CallFault> {
    let Some(ScalarValue::Utf8(Some(pattern))) = args.get(1).and_then(constant) else {
        let message = "the pattern of `regex_record` is a constant: its groups are the fields of the record";
        return Err(CallFault::new(FaultKind::Value, message).at(1));
    };
    let pattern = read(&pattern).map_err(|message| CallFault::new(FaultKind::Value, message).at(1))?;
    let fields: Vec<_> = pattern.capture_names().flatten().map(|name| (name.to_string(), text_or_null())).collect();
    if fields.is_empty() {
        let message = "the pattern of `regex_record` has no named group";
        let help = "name its groups: `(?P<year>[0-9]+)`";
        return Err(CallFault::new(FaultKind::Value, message).at(1).with_help(help));
    }
    Ok(ColumnType::required(Type::Record(fields)))
}

fn text_or_null() -> ColumnType {
    ColumnType::nullable(Type::Text)
}

fn record(args: &Arguments<'_>) -> Result<ArrayRef> {
    let DataType::Struct(fields) = args.output() else {
        return Err(DataFusionError::Internal("a record is a struct".to_string()));
    };
    let (texts, patterns, nulls) = (args.text(0)?, Readings::new(args, 1, read)?, args.nulls()?);
    let mut columns: Vec<Vec<Option<String>>> = vec![Vec::with_capacity(args.rows()); fields.len()];
    for row in 0..args.rows() {
        let present = nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row));
        let pattern = if present { Some(patterns.get(row)?) } else { None };
        let found: Option<Captures<'_>> = pattern.as_ref().and_then(|pattern| pattern.captures(texts.value(row)));
        for (field, column) in fields.iter().zip(&mut columns) {
            let part = found.as_ref().and_then(|found| found.name(field.name()));
            column.push(part.map(|part| part.as_str().to_string()));
        }
    }
    let columns = columns.into_iter().map(|column| Arc::new(StringArray::from(column)) as ArrayRef);
    Ok(Arc::new(StructArray::try_new_with_length(fields.clone(), columns.collect(), None, args.rows())?))
}

fn position(args: &Arguments<'_>) -> Result<ArrayRef> {
    let (texts, patterns) = (args.text(0)?, Readings::new(args, 1, read)?);
    args.collect_nullable::<Int64Array, _>(|row| {
        let text = texts.value(row);
        Ok(patterns.get(row)?.find(text).map(|found| count(text[..found.start()].chars().count())))
    })
}

fn replace(args: &Arguments<'_>) -> Result<ArrayRef> {
    /// Bound of what one match can be replaced by, in bytes.
    const MOST_AT_ONCE: usize = 1 << 30;
    let (texts, patterns, to) = (args.text(0)?, Readings::new(args, 1, read)?, args.text(2)?);
    args.write(|row, out| {
        let (pattern, text, to) = (patterns.get(row)?, texts.value(row), to.value(row));
        let (start, mut rest) = (out.len(), 0);
        if !to.contains('$') {
            // Without references no groups have to be found.
            for whole in pattern.find_iter(text) {
                out.push_str(&text[rest..whole.start()]);
                out.push_str(to);
                rest = whole.end();
                bounded(out.len() - start, text)?;
            }
            out.push_str(&text[rest..]);
            return Ok(());
        }
        for found in pattern.captures_iter(text) {
            let Some(whole) = found.get(0) else { continue };
            // A reference of two characters stands for a whole match.
            if (to.len() / 2).saturating_mul(whole.len()) > MOST_AT_ONCE {
                return Err(row_error("replacing makes a text that is too long"));
            }
            out.push_str(&text[rest..whole.start()]);
            found.expand(to, out);
            rest = whole.end();
            bounded(out.len() - start, text)?;
        }
        out.push_str(&text[rest..]);
        Ok(())
    })
}

/// What is made of a text must not be long, unless the text is.
fn bounded(made: usize, of: &str) -> Result<()> {
    if made > LONGEST.max(of.len()) {
        return Err(row_error("replacing makes a text that is too long"));
    }
    Ok(())
}
