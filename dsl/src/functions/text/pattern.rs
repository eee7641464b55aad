//! Regular expressions, in the syntax of Rust's `regex`: no look-around, linear time.

use std::collections::HashMap;

use arrow::array::{ArrayRef, BooleanArray, StringArray};
use datafusion_common::Result;
use regex::Regex;

use super::super::arguments::{Arguments, Texts};
use super::super::cast::show::quoted;
use super::super::entry::{Function, Gives, Group, Overload, Simple, Takes};
use super::super::kernel::row_error;

const PATTERN: &[(&str, Takes)] = &[("x", Takes::Text), ("pattern", Takes::Text)];

const fn fallible(
    parameters: &'static [(&'static str, Takes)],
    gives: Gives,
    evaluate: fn(&Arguments<'_>) -> Result<ArrayRef>,
) -> Overload {
    Overload { parameters, repeats: false, gives, fallible: true, evaluate }
}

/// The entries.
pub const PATTERNS: &[Function] = &[
    Function {
        name: "matches",
        group: Group::Patterns,
        doc: "True if the regular expression matches somewhere in the text. \
              A pattern that cannot be read is a row error.",
        examples: &[("matches(\"a12\", '[0-9]+$')", "true"), ("matches(\"a\", \"^b\")", "false")],
        overloads: &[fallible(PATTERN, Gives::Value(Simple::Bool), matches)],
    },
    Function {
        name: "regex_replace",
        group: Group::Patterns,
        doc: "Every match replaced; `$1` or `${name}` in the replacement stands for a group.",
        examples: &[("regex_replace(\"a1b22\", '[0-9]+', \"#\")", "a#b#")],
        overloads: &[fallible(
            &[("x", Takes::Text), ("pattern", Takes::Text), ("to", Takes::Text)],
            Gives::Value(Simple::Text),
            replace,
        )],
    },
    Function {
        name: "regex_extract",
        group: Group::Patterns,
        doc: "The first match, or the given group of it; null if nothing matches.",
        examples: &[("regex_extract(\"id=42;\", 'id=([0-9]+)', 1)", "42"), ("regex_extract(\"a\", \"b\")", "null")],
        overloads: &[
            fallible(PATTERN, Gives::Nullable(Simple::Text), extract),
            fallible(
                &[("x", Takes::Text), ("pattern", Takes::Text), ("group", Takes::Int)],
                Gives::Nullable(Simple::Text),
                extract,
            ),
        ],
    },
];

/// The patterns of a batch, each read once.
struct Patterns {
    texts: Texts,
    read: HashMap<String, std::result::Result<Regex, String>>,
}

impl Patterns {
    fn new(texts: Texts) -> Self {
        let mut read = HashMap::new();
        for text in texts.each() {
            if !read.contains_key(text) {
                read.insert(text.to_string(), Regex::new(text).map_err(|error| error.to_string()));
            }
        }
        Patterns { texts, read }
    }

    fn get(&self, row: usize) -> Result<&Regex> {
        let text = self.texts.value(row);
        match self.read.get(text) {
            Some(Ok(regex)) => Ok(regex),
            Some(Err(error)) => {
                // The message of `regex` draws the pattern; its last line says what is wrong.
                let reason = error.lines().last().unwrap_or_default().trim_start_matches("error: ");
                Err(row_error(format!("cannot read {} as a regular expression: {reason}", quoted(text))))
            }
            None => unreachable!("every pattern of the batch was read"),
        }
    }
}

fn matches(args: &Arguments<'_>) -> Result<ArrayRef> {
    let (texts, patterns) = (args.text(0)?, Patterns::new(args.text(1)?));
    args.collect::<BooleanArray, _>(|row| Ok(patterns.get(row)?.is_match(texts.value(row))))
}

fn replace(args: &Arguments<'_>) -> Result<ArrayRef> {
    let (texts, patterns, to) = (args.text(0)?, Patterns::new(args.text(1)?), args.text(2)?);
    args.collect::<StringArray, _>(|row| {
        Ok(patterns.get(row)?.replace_all(texts.value(row), to.value(row)).into_owned())
    })
}

fn extract(args: &Arguments<'_>) -> Result<ArrayRef> {
    let (texts, patterns) = (args.text(0)?, Patterns::new(args.text(1)?));
    let groups = if args.len() > 2 { Some(args.int(2)?) } else { None };
    args.collect_nullable::<StringArray, _>(|row| {
        let group = groups.as_ref().map_or(0, |groups| groups.value(row));
        let found = patterns.get(row)?.captures(texts.value(row));
        let part = found.and_then(|found| found.get(usize::try_from(group).ok()?));
        Ok(part.map(|part| part.as_str().to_string()))
    })
}
