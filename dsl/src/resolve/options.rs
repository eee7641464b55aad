//! The options of a connector, checked against its spec.

use arrow_array::ListArray;
use arrow_array::cast::AsArray;
use datafusion_common::ScalarValue;
use tidebook_plan::connector::{ConnectorSpec, Direction, OptionKind, OptionSpec, OptionValue, Options};
use tidebook_plan::{ColumnType, Diagnostic, Span};

use crate::diagnostics::sources;
use crate::resolve::fault::{self, Resolved};
use crate::resolve::{Resolver, collapse};
use crate::syntax::tree::{Arguments, Expr, ExprKind, Literal, NamedArgument, Path};

/// Options that passed, and how the use of the connector is shown.
pub(crate) struct CheckedOptions {
    pub options: Options,
    /// `csv("data/orders.csv", delimiter: ";")`, without secrets.
    pub summary: String,
    /// Where each given option stands.
    pub spans: Vec<(&'static str, Span)>,
}

/// Connectors of the language that this build does not have.
const OF_LATER_BUILDS: &[&str] = &["kafka", "postgres", "http", "lance"];

impl Resolver<'_> {
    /// The connector of that name and direction.
    pub(crate) fn connector(&self, path: &Path, direction: Direction) -> Resolved<&ConnectorSpec> {
        let name = path.text();
        let all = self.env.connectors();
        if let Some(spec) = all.iter().find(|spec| spec.name == name && spec.direction == direction) {
            return Ok(spec);
        }
        let candidates: Vec<&str> = all.iter().filter(|s| s.direction == direction).map(|s| s.name).collect();
        let (verb, other) = match direction {
            Direction::Source => ("read", "written"),
            Direction::Sink => ("write", "read"),
        };
        if all.iter().any(|spec| spec.name == name) {
            let message = format!("`{name}` can only be {other}");
            let diagnostic = sources::UNKNOWN_CONNECTOR.error(message, path.span);
            let help = format!("`{verb}` takes {}", fault::list_names(candidates));
            return Err(diagnostic.with_help(help).into());
        }
        if OF_LATER_BUILDS.contains(&name.as_str()) {
            return Err(fault::not_available(&format!("the connector `{name}`"), path.span).into());
        }
        let diagnostic = sources::UNKNOWN_CONNECTOR.error(format!("unknown connector `{name}`"), path.span);
        Err(fault::suggest(diagnostic, &name, &candidates, &format!("`{verb}` takes")).into())
    }

    /// Checks what stands in the parentheses.
    pub(crate) fn options(
        &self,
        spec: &ConnectorSpec,
        arguments: &Arguments,
        named: &[&NamedArgument],
    ) -> Resolved<CheckedOptions> {
        let mut given: Vec<(&OptionSpec, &Expr, Span)> = Vec::new();
        let mut places = spec.options.iter().filter(|option| option.positional);
        for value in &arguments.positional {
            let Some(option) = places.next() else {
                let taken = spec.options.iter().filter(|option| option.positional).map(|option| option.name);
                let taken: Vec<&str> = taken.collect();
                let message = match taken.as_slice() {
                    [] => format!("`{}` takes no value by position", spec.name),
                    taken => {
                        format!("`{}` takes by position only {}", spec.name, fault::list_names(taken.iter().copied()))
                    }
                };
                return Err(sources::UNKNOWN_OPTION
                    .error(message, value.span)
                    .with_help("give further options by name: `name: value`")
                    .into());
            };
            given.push((option, value, value.span));
        }
        for argument in named {
            let name = &argument.name;
            let Some(option) = spec.options.iter().find(|option| option.name == name.text) else {
                let candidates: Vec<&str> = spec.options.iter().map(|option| option.name).collect();
                let message = format!("`{}` has no option `{}`", spec.name, name.text);
                let diagnostic = sources::UNKNOWN_OPTION.error(message, name.span);
                return Err(fault::suggest(diagnostic, &name.text, &candidates, "its options are").into());
            };
            if let Some((_, _, first)) = given.iter().find(|(other, _, _)| other.name == option.name) {
                let message = format!("the option `{}` is given twice", option.name);
                return Err(sources::UNKNOWN_OPTION.error(message, name.span).with_label(*first, "first here").into());
            }
            given.push((option, &argument.value, name.span));
        }
        self.check_given(spec, &given, arguments.span)
    }

    fn check_given(
        &self,
        spec: &ConnectorSpec,
        given: &[(&OptionSpec, &Expr, Span)],
        span: Span,
    ) -> Resolved<CheckedOptions> {
        let mut options = Options::default();
        let (mut shown, mut spans) = (Vec::new(), Vec::new());
        for (option, value, _) in given {
            let checked = self.option_value(spec, option, value)?;
            let text = match (&checked, &value.kind) {
                (OptionValue::Secret(_), _) => "***".to_string(),
                (_, ExprKind::Literal(_) | ExprKind::Name(_)) => collapse(value.span.of(self.text)),
                (checked, _) => format!("{checked:?}"),
            };
            shown.push(if option.positional { text } else { format!("{}: {text}", option.name) });
            spans.push((option.name, value.span));
            options.0.insert(option.name.to_string(), checked);
        }
        for option in &spec.options {
            if options.0.contains_key(option.name) {
                continue;
            }
            if let Some(default) = &option.default {
                options.0.insert(option.name.to_string(), default.clone());
            } else if option.required {
                let message = format!("`{}` needs the option `{}`: {}", spec.name, option.name, option.doc);
                let (_, value) = taken_by(option);
                let example = if option.positional { value.to_string() } else { format!("{}: {value}", option.name) };
                return Err(sources::MISSING_OPTION
                    .error(message, span)
                    .with_help(format!("write `{}({example})`", spec.name))
                    .into());
            }
        }
        Ok(CheckedOptions { options, summary: format!("{}({})", spec.name, shown.join(", ")), spans })
    }

    fn option_value(&self, spec: &ConnectorSpec, option: &OptionSpec, value: &Expr) -> Resolved<OptionValue> {
        if option.kind == OptionKind::Columns
            && let Some(names) = column_names(value)
        {
            return Ok(OptionValue::Texts(names));
        }
        if let (OptionKind::Column | OptionKind::OneOf(_), ExprKind::Name(name)) = (option.kind, &value.kind) {
            let is_word = match option.kind {
                OptionKind::OneOf(words) => words.contains(&name.text.as_str()),
                _ => true,
            };
            if is_word || !self.catalog.params.contains_key(&name.text) {
                return self.word(option, &name.text, value.span);
            }
        }
        self.env_used.set(false);
        self.env_allowed.set(true);
        let result = self.constant(value, "the options of a connector");
        self.env_allowed.set(false);
        let (scalar, ty) = result?;
        let secret = self.env_used.get() || option.secret;
        let checked = match (option.kind, scalar) {
            (
                OptionKind::Text | OptionKind::Column | OptionKind::Texts | OptionKind::Columns,
                ScalarValue::Utf8(Some(text)),
            ) => OptionValue::Text(text),
            (OptionKind::Texts | OptionKind::Columns, ScalarValue::List(list)) => match texts(&list) {
                Some(texts) => OptionValue::Texts(texts),
                None => return Err(wrong_kind(spec, option, &ty, value.span).into()),
            },
            (OptionKind::OneOf(_), ScalarValue::Utf8(Some(text))) => self.word(option, &text, value.span)?,
            (OptionKind::Int, ScalarValue::Int64(Some(number))) => OptionValue::Int(number),
            (OptionKind::Float, ScalarValue::Int64(Some(number))) => OptionValue::Float(number as f64),
            (OptionKind::Float, ScalarValue::Float64(Some(number))) => OptionValue::Float(number),
            (OptionKind::Bool, ScalarValue::Boolean(Some(flag))) => OptionValue::Bool(flag),
            (OptionKind::Duration, ScalarValue::DurationMicrosecond(Some(micros))) => OptionValue::Duration(micros),
            _ => return Err(wrong_kind(spec, option, &ty, value.span).into()),
        };
        Ok(match checked {
            OptionValue::Text(text) if secret => OptionValue::Secret(text),
            OptionValue::Texts(_) if secret => return Err(wrong_kind(spec, option, &ty, value.span).into()),
            checked => checked,
        })
    }

    /// A word of a [`OptionKind::OneOf`], or a column's name.
    fn word(&self, option: &OptionSpec, word: &str, span: Span) -> Resolved<OptionValue> {
        if let OptionKind::OneOf(words) = option.kind
            && !words.contains(&word)
        {
            let message = format!("`{}` cannot be `{word}`", option.name);
            let diagnostic = sources::WRONG_OPTION.error(message, span);
            return Err(fault::suggest(diagnostic, word, words, "it is one of").into());
        }
        Ok(OptionValue::Text(word.to_string()))
    }
}

/// Names that are written bare or as texts: one, or a list of them.
fn column_names(value: &Expr) -> Option<Vec<String>> {
    let name = |expr: &Expr| match &expr.kind {
        ExprKind::Name(name) => Some(name.text.clone()),
        ExprKind::Literal(Literal::Text(text)) => Some(text.clone()),
        _ => None,
    };
    match &value.kind {
        ExprKind::List(items) => items.iter().map(name).collect(),
        _ => name(value).map(|name| vec![name]),
    }
}

/// Options that name columns must name some that are there.
///
/// # Errors
/// Names the first that is not, and one that is likely meant.
pub(crate) fn check_columns(spec: &ConnectorSpec, checked: &CheckedOptions, columns: &[&str]) -> Resolved<()> {
    let naming = |option: &&OptionSpec| matches!(option.kind, OptionKind::Column | OptionKind::Columns);
    for option in spec.options.iter().filter(naming) {
        let Some((_, span)) = checked.spans.iter().find(|(name, _)| *name == option.name) else { continue };
        let named = checked.options.texts(option.name);
        if let Some(unknown) = named.into_iter().find(|name| !columns.contains(name)) {
            return Err(fault::unknown_column(unknown, None, columns.to_vec(), *span).into());
        }
    }
    Ok(())
}

/// The elements of a list that holds texts and no nulls.
fn texts(list: &ListArray) -> Option<Vec<String>> {
    let items = list.value(0);
    if items.is_empty() {
        return Some(Vec::new());
    }
    items.as_string_opt::<i32>()?.iter().map(|text| text.map(str::to_string)).collect()
}

fn wrong_kind(spec: &ConnectorSpec, option: &OptionSpec, found: &ColumnType, span: Span) -> Diagnostic {
    let (expected, example) = taken_by(option);
    let message = format!("the option `{}` of `{}` takes {expected}, found {found}", option.name, spec.name);
    sources::WRONG_OPTION.error(message, span).with_help(format!("write `{}: {example}`", option.name))
}

/// What an option takes, and an example of it.
fn taken_by(option: &OptionSpec) -> (&'static str, &'static str) {
    match option.kind {
        OptionKind::Text => ("text", "\"…\""),
        OptionKind::Int => ("a whole number", "1"),
        OptionKind::Float => ("a number", "1.5"),
        OptionKind::Bool => ("true or false", "true"),
        OptionKind::Duration => ("a duration", "5s"),
        OptionKind::Column => ("the name of a column", "column"),
        OptionKind::Texts => ("text or a list of texts", "[\"…\"]"),
        OptionKind::Columns => ("the name of a column or a list of names", "[column]"),
        OptionKind::OneOf(words) => ("a word", words.first().copied().unwrap_or("word")),
    }
}
