//! `read connector(…) { schema }`.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use tidebook_plan::connector::{ConnectorError, Direction, Options, SourceField, SourceSpec, source_error_schema};
use tidebook_plan::{Selection, Span, Type};

use crate::diagnostics::{names, sources};
use crate::functions;
use crate::resolve::expression::literal;
use crate::resolve::fault::Resolved;
use crate::resolve::options::check_columns;
use crate::resolve::relation::Relation;
use crate::resolve::scope::{Scope, ScopeColumn, quoted};
use crate::resolve::types::column_type;
use crate::resolve::{Resolver, build};
use crate::syntax::tree::{ConnectorUse, ExprKind, FieldDecl};

impl Resolver<'_> {
    pub(crate) fn read(&self, connector: &ConnectorUse, span: Span) -> Resolved<Relation> {
        let spec = self.connector(&connector.connector, Direction::Source)?;
        let named: Vec<_> = connector.arguments.named.iter().collect();
        let checked = self.options(spec, &connector.arguments, &named)?;
        let mut source = SourceSpec {
            connector: spec.name.to_string(),
            options: checked.options.clone(),
            fields: Vec::new(),
            key: Vec::new(),
            generation: self.generation,
            base: self.env.base().to_path_buf(),
            selection: Selection::default(),
        };
        match &connector.schema {
            Some(fields) => (source.fields, source.key) = self.declared(fields)?,
            None => source.fields = self.described(&source, connector)?,
        }
        let names: Vec<&str> = source.fields.iter().map(|field| field.name.as_str()).collect();
        check_columns(spec, &checked, &names)?;
        source.selection.allowed = source.key.is_empty() && self.env.selects(&source.connector, &source.options);
        self.sources.borrow_mut().push(checked.summary);
        let retracts = !source.key.is_empty() || takes_back(&source.options);
        let ids: Vec<String> = source.fields.iter().map(|field| self.fresh(&field.name)).collect();
        let columns =
            source.fields.iter().zip(&ids).map(|(field, id)| ScopeColumn::new(&*field.name, id, field.ty.clone()));
        let scope = Scope { columns: columns.collect(), head: None };
        let key = source.key.iter().map(|place| ids[*place].clone()).collect();
        let plan = build::source(Arc::new(source), &ids, self.origin(span));
        let told = source_error_schema().columns.into_iter();
        let told = Scope {
            columns: told.map(|column| ScopeColumn::new(&*column.name, &*column.name, column.ty)).collect(),
            head: None,
        };
        let errors = self.errors_of(&plan, &told).into_iter().collect();
        Ok(Relation { plan, scope, key, ordering: Vec::new(), retracts, errors })
    }

    fn declared(&self, fields: &[FieldDecl]) -> Resolved<(Vec<SourceField>, Vec<usize>)> {
        let (mut out, mut key): (Vec<SourceField>, Vec<usize>) = (Vec::new(), Vec::new());
        for (place, field) in fields.iter().enumerate() {
            if out.iter().any(|other| other.name == field.name.text) {
                let message = format!("the schema has two columns called `{}`", field.name.text);
                return Err(names::SAME_NAME.error(message, field.name.span).into());
            }
            let ty = column_type(&field.ty)?;
            if ty.ty == Type::Null {
                return Err(names::UNKNOWN_TYPE.error("a column cannot be of type null", field.ty.span).into());
            }
            if field.key.is_some() {
                key.push(place);
            }
            let default = match &field.default {
                None => None,
                Some(value) => {
                    let typed = match &value.kind {
                        ExprKind::Literal(value) => literal(value),
                        _ => {
                            let (scalar, ty) = self.constant(value, "a default")?;
                            functions::Typed::literal(scalar, ty)
                        }
                    };
                    let found = typed.ty.clone();
                    let Some(typed) = functions::coerce(typed, &ty.ty) else {
                        let message = format!("the default of `{}` is {found}, the column is {ty}", field.name.text);
                        return Err(names::WRONG_TYPE.error(message, value.span).into());
                    };
                    match functions::evaluate(&typed) {
                        Ok(scalar) if scalar.is_null() && !ty.nullable => {
                            let message = format!("the default of `{}` is null, the column is {ty}", field.name.text);
                            return Err(names::WRONG_TYPE
                                .error(message, value.span)
                                .with_help(format!("write `{ty}?`"))
                                .into());
                        }
                        Ok(scalar) => Some(scalar),
                        Err(message) => {
                            return Err(names::NOT_CONSTANT
                                .error(format!("this has no value: {message}"), value.span)
                                .into());
                        }
                    }
                }
            };
            let wire_name = field.from.as_ref().map(|name| name.text.clone());
            let read = SourceField { name: field.name.text.clone(), ty, wire_name, default };
            if let Some(first) = out.iter().find(|first| is_read_once(&read) && first.wire_name() == read.wire_name()) {
                let message = format!("`{}` and `{}` are both read from `{}`", first.name, read.name, read.wire_name());
                let span = field.from.as_ref().map_or(field.name.span, |name| name.span);
                let help =
                    format!("read it once and copy it: `| derive {}: {}`", quoted(&read.name), quoted(&first.name));
                return Err(names::SAME_NAME.error(message, span).with_help(help).into());
            }
            out.push(read);
        }
        if out.is_empty() {
            let span = fields.first().map(|field| field.span).unwrap_or_default();
            return Err(names::NO_COLUMNS.error("the schema has no column", span).into());
        }
        Ok((out, key))
    }

    /// The columns that the source tells of itself; asked once for each run of the statement.
    fn described(&self, source: &SourceSpec, connector: &ConnectorUse) -> Resolved<Vec<SourceField>> {
        let mut hasher = DefaultHasher::new();
        source.identity().hash(&mut hasher);
        let identity = hasher.finish();
        if let Some(fields) = self.described.borrow().get(&identity).or_else(|| self.catalog.described.get(&identity)) {
            return Ok(fields.clone());
        }
        let fields = self.env.describe(&source.connector, &source.options).map_err(|error| {
            let help = match &error {
                ConnectorError::Missing { .. } => {
                    "check the path; relative ones start from the notebook's folder".to_string()
                }
                ConnectorError::Option { option, .. } => format!("give the option `{option}` another value"),
                _ => "declare them after the parentheses: `{ id: int key, name: text }`".to_string(),
            };
            sources::UNDESCRIBED.error(format!("cannot tell the columns: {error}"), connector.span).with_help(help)
        })?;
        for (place, field) in fields.iter().enumerate() {
            if fields[..place].iter().any(|other| other.name == field.name) {
                let message = format!("the source has two columns called `{}`", field.name);
                return Err(names::SAME_NAME
                    .error(message, connector.span)
                    .with_help("declare the columns, one of them under another name: `{ a: text, b: text from \"a\" }`")
                    .into());
            }
        }
        self.described.borrow_mut().insert(identity, fields.clone());
        Ok(fields)
    }
}

/// True for a column of the input itself, which a reader gives to one column; a JSON pointer and what a file gives to its rows
/// may stand in several.
fn is_read_once(field: &SourceField) -> bool {
    !field.wire_name().starts_with(['/', '_'])
}

/// True if the source takes rows back without a key: a watched file that changes, a table's change data.
fn takes_back(options: &Options) -> bool {
    options.flag("watch") || options.text("mode") == Some("cdc")
}
