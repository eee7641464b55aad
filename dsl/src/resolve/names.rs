//! Names in expressions: columns, tables before a dot, parameters, fields of records.

use tidebook_plan::diagnostic::near_names;
use tidebook_plan::{Diagnostic, Span, Type};

use crate::diagnostics::{doubts, names};
use crate::functions::{self, Typed};
use crate::resolve::dedupe::PREVIOUS;
use crate::resolve::expression::call_fault;
use crate::resolve::fault::{self, Fault, Resolved};
use crate::resolve::scope::quoted;
use crate::resolve::{Reach, Resolver, aggregate};
use crate::syntax::tree::{Expr, ExprKind, Name, Path};

/// Places without columns in which a bare word is likely a text without quotes.
const TAKES_TEXT: &[&str] =
    &["a literal row", "the options of a connector", "a default", "the default of a parameter", "`%eval`"];

impl Resolver<'_> {
    /// A bare name: a parameter of the `fn`, a column, or a `param`.
    pub(crate) fn name(&self, name: &Name, reach: Reach<'_>) -> Resolved<Typed> {
        if let Some(local) = reach.locals.and_then(|locals| locals.get(&name.text)) {
            return local.value.clone();
        }
        if let Some(column) = reach.scope.find(&name.text, name.span)? {
            if self.catalog.params.contains_key(&name.text) {
                self.warnings.borrow_mut().push(doubts::HIDDEN_PARAMETER.warning(
                    format!("`{}` is a column here, which hides the parameter of that name", name.text),
                    name.span,
                ));
            }
            return Ok(Typed::column(column.id.clone(), column.ty.clone()));
        }
        // The body of a `fn` does not see the table that its call stands in.
        if let (Some(aggregation), None) = (reach.aggregation, reach.locals) {
            aggregation.refuse_bare_column(name)?;
        }
        if let Some(param) = self.catalog.params.get(&name.text) {
            self.uses.borrow_mut().params.insert(name.text.clone());
            return Ok(Typed::literal(param.value.clone(), param.ty.clone()));
        }
        if self.failed.contains(&name.text) {
            return Err(Fault::Quiet);
        }
        Err(self.unknown_name(name, reach).into())
    }

    fn unknown_name(&self, name: &Name, reach: Reach<'_>) -> Diagnostic {
        let mut candidates: Vec<&str> = reach.scope.visible().map(|c| c.name.as_str()).collect();
        candidates.extend(reach.locals.iter().flat_map(|locals| locals.keys()).map(String::as_str));
        let params: Vec<&str> = self.catalog.params.keys().map(String::as_str).collect();
        if let Some(place) = reach.constant_in {
            let message = format!("unknown name `{}`: no columns are in reach in {place}", name.text);
            let diagnostic = names::UNKNOWN_COLUMN.error(message, name.span);
            if let Some(diagnostic) = constant_word(&name.text, &diagnostic) {
                return diagnostic;
            }
            let near = near_names(&name.text, params);
            return match fault::did_you_mean(&near) {
                Some(help) => diagnostic.with_help(help).with_edit(name.span, quoted(near[0])),
                None if TAKES_TEXT.contains(&place) => {
                    diagnostic.with_help(format!("text is written in quotes: `\"{}\"`", name.text))
                }
                None => diagnostic.with_help("write a number, a parameter or an expression of them"),
            };
        }
        if reach.locals.is_some() && reach.scope.visible().next().is_none() {
            let diagnostic = names::UNKNOWN_COLUMN.error(format!("unknown name `{}`", name.text), name.span);
            if let Some(diagnostic) = constant_word(&name.text, &diagnostic) {
                return diagnostic;
            }
            candidates.extend(params);
            let diagnostic = fault::suggest(diagnostic, &name.text, &candidates, "in reach are");
            return match diagnostic.help {
                None => diagnostic
                    .with_help("a function sees its parameters only, and those of `param`: give it the column as one"),
                Some(_) => diagnostic,
            };
        }
        if reach.scope.is_qualifier(&name.text) || self.catalog.tables.contains_key(&name.text) {
            let message = format!("`{}` is a table, not a column", name.text);
            let diagnostic = names::UNKNOWN_COLUMN.error(message, name.span);
            return match candidates.first() {
                Some(column) if reach.scope.is_qualifier(&name.text) => diagnostic.with_help(format!(
                    "name one of its columns: `{}.{}`",
                    quoted(&name.text),
                    quoted(column)
                )),
                _ => diagnostic.with_help(format!("bring its columns in with `join {} on …`", quoted(&name.text))),
            };
        }
        let near = near_names(&name.text, candidates.iter().copied().chain(params));
        let diagnostic = names::UNKNOWN_COLUMN.error(format!("unknown column `{}`", name.text), name.span);
        match fault::did_you_mean(&near) {
            Some(help) => diagnostic.with_help(help).with_edit(name.span, quoted(near[0])),
            None if self.is_later(&name.text) => diagnostic.with_help(later(&name.text)),
            None => constant_word(&name.text, &diagnostic)
                .or_else(|| self.function_word(&name.text, &diagnostic))
                .unwrap_or_else(|| fault::unknown_column(&name.text, None, candidates, name.span)),
        }
    }

    /// A column that is the name of a function: its parentheses are missing.
    fn function_word(&self, name: &str, diagnostic: &Diagnostic) -> Option<Diagnostic> {
        let known = functions::function(name).is_some()
            || aggregate::kind(name).is_some()
            || self.catalog.functions.contains_key(name);
        known.then(|| {
            diagnostic
                .clone()
                .with_help(format!("`{name}` is a function: its arguments stand in parentheses, `{name}(…)`"))
        })
    }

    /// `base.field`: a column of a table in reach, or a field of a record.
    pub(crate) fn field(&self, expr: &Expr, base: &Expr, field: &Name, reach: Reach<'_>) -> Resolved<Typed> {
        if let Some(path) = expr.as_path()
            && let Some(typed) = self.qualified(&path, reach)?
        {
            return Ok(typed);
        }
        let typed = self.expression(base, reach)?;
        // Beside columns, a local is the row that `dedupe … when` keeps: its fields are the table's columns.
        let is_row = matches!(&base.kind, ExprKind::Name(name) if name.text == PREVIOUS)
            && reach.locals.is_some_and(|locals| locals.contains_key(PREVIOUS))
            && reach.scope.visible().next().is_some();
        if let (true, Type::Record(columns)) = (is_row, &typed.ty.ty)
            && columns.iter().all(|(name, _)| *name != field.text)
        {
            let names = columns.iter().map(|(name, _)| name.as_str()).collect();
            return Err(fault::unknown_column(&field.text, Some(PREVIOUS), names, field.span).into());
        }
        take_field(typed, field, base.span)
    }

    /// `orders.id`, `orders.errors.id`, `orders.place.city`: the column and what is taken of it; `None` if the first
    /// names are not those of a table in reach, or if a record column of that name has the field.
    fn qualified(&self, path: &Path, reach: Reach<'_>) -> Resolved<Option<Typed>> {
        let first = &path.parts[0];
        if reach.locals.is_some_and(|locals| locals.contains_key(&first.text)) {
            return Ok(None);
        }
        let record = reach.scope.visible().any(|c| {
            c.name == first.text
                && matches!(&c.ty.ty, Type::Record(fields) if fields.iter().any(|(name, _)| *name == path.parts[1].text))
        });
        if record {
            return Ok(None);
        }
        for split in (1..path.parts.len()).rev() {
            let qualifier = path.parts[..split].iter().map(|part| part.text.as_str()).collect::<Vec<_>>().join(".");
            if let (Some(aggregation), None) = (reach.aggregation, reach.locals) {
                aggregation.refuse_qualified_column(&qualifier, &path.parts[split], reach.scope, path.span)?;
            }
            if !reach.scope.is_qualifier(&qualifier) {
                continue;
            }
            let name = &path.parts[split];
            let column = reach.scope.find_value(&qualifier, &name.text, first.span.to(name.span), name.span)?;
            let mut typed = Typed::column(column.id.clone(), column.ty.clone());
            let mut span = first.span.to(name.span);
            for part in &path.parts[split + 1..] {
                typed = take_field(typed, part, span)?;
                span = span.to(part.span);
            }
            return Ok(Some(typed));
        }
        let known_column = reach.scope.visible().any(|column| column.name == first.text);
        if !known_column && !self.catalog.params.contains_key(&first.text) {
            if self.failed.contains(&first.text) {
                return Err(Fault::Quiet);
            }
            return Err(self.unknown_qualifier(path, reach).into());
        }
        Ok(None)
    }

    fn unknown_qualifier(&self, path: &Path, reach: Reach<'_>) -> Diagnostic {
        let first = &path.parts[0];
        let tables = reach.scope.qualifiers();
        let message = format!("`{}` is not a table in reach here", first.text);
        let diagnostic = names::UNKNOWN_QUALIFIER.error(message, first.span);
        let diagnostic = fault::suggest(diagnostic, &first.text, &tables, "in reach are");
        match diagnostic.help {
            None if reach.constant_in.is_some_and(|place| TAKES_TEXT.contains(&place)) => {
                diagnostic.with_help(format!("text is written in quotes: `\"{}\"`", path.text()))
            }
            None if reach.constant_in.is_none() => diagnostic
                .with_help(format!("write the column without a table, or join `{}` first", quoted(&first.text))),
            _ => diagnostic,
        }
    }
}

/// The help for a name that the cell defines further down.
pub(super) fn later(name: &str) -> String {
    format!("`{}` is defined further down: put that before this", quoted(name))
}

/// What `True`, `NULL` and `None` are called.
fn constant_word(name: &str, diagnostic: &Diagnostic) -> Option<Diagnostic> {
    let ours = match name.to_ascii_lowercase().as_str() {
        "true" | "yes" => "true",
        "false" | "no" => "false",
        "null" | "none" | "nil" | "na" | "undefined" => "null",
        "nan" => "float(\"NaN\")",
        "inf" | "infinity" => "float(\"inf\")",
        _ => return None,
    };
    Some(diagnostic.clone().with_help(format!("write `{ours}`")).with_edit(diagnostic.span, ours))
}

/// `base.field` of a record or a document.
pub(super) fn take_field(base: Typed, field: &Name, base_span: Span) -> Resolved<Typed> {
    if let Type::Record(fields) = &base.ty.ty
        && !fields.iter().any(|(name, _)| *name == field.text)
    {
        let names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
        let message = format!("the record has no field `{}`", field.text);
        return Err(fault::suggest(
            names::UNKNOWN_COLUMN.error(message, field.span),
            &field.text,
            &names,
            "its fields are",
        )
        .into());
    }
    functions::field(base, &field.text).map_err(|f| call_fault(f, base_span.to(field.span), &[base_span, field.span]))
}
