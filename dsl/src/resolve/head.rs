//! Heads: where rows come from.

use std::collections::BTreeSet;

use tidebook_plan::Span;

use crate::catalog::{self, TablePlan};
use crate::diagnostics::names;
use crate::logical::Origin;
use crate::resolve::fault::{self, Fault, Resolved};
use crate::resolve::names::later;
use crate::resolve::relation::Relation;
use crate::resolve::scope::quoted;
use crate::resolve::{Resolver, build, errors_table, late_table};
use crate::syntax::tree::{Head, HeadKind, Path};

impl Resolver<'_> {
    pub(crate) fn head(&self, head: &Head) -> Resolved<Relation> {
        match &head.kind {
            HeadKind::Table(path) => self.table(path),
            HeadKind::Read(connector) => self.bounded(self.read(connector, head.span)?, head.span),
            HeadKind::Rows(steps) => self.rows(steps, head.span),
            HeadKind::Nested(pipeline) => self.pipeline(pipeline),
            HeadKind::Serve(connector) => {
                Err(fault::not_available("`serve`", Span::new(head.span.start, connector.span.start)).into())
            }
            HeadKind::Sql { text, span } => self.bounded(self.sql(text, *span)?, head.span),
        }
    }

    /// A table by name, or the errors of one.
    pub(crate) fn table(&self, path: &Path) -> Resolved<Relation> {
        let name = &path.parts[0];
        if let Some(relation) = self.loop_table(path)? {
            return Ok(relation);
        }
        self.uses.borrow_mut().tables.insert(name.text.clone());
        let Some(definition) = self.catalog.tables.get(&name.text) else {
            return Err(self.missing_table(path));
        };
        if self.defining.is_some_and(|defining| self.stands_on(&name.text, defining)) {
            let defining = self.defining.unwrap_or_default();
            let message = if defining == name.text {
                format!("`{defining}` is defined by itself")
            } else {
                format!("`{defining}` would be defined by itself: `{}` reads it", name.text)
            };
            return Err(names::CIRCULAR.error(message, name.span).with_help("give the new table another name").into());
        }
        if let Some(diagnostic) = &definition.broken {
            let message = format!("table `{}` is broken: {}", name.text, diagnostic.message);
            return Err(names::BROKEN_TABLE
                .error(message, name.span)
                .with_help(format!("mend the definition of `{}` and run its cell again", name.text))
                .into());
        }
        self.count_table(definition.uses.extent, path.span)?;
        match path.parts.get(1).map(|part| part.text.as_str()) {
            None => Ok(self.use_table(&definition.plan, Some(&name.text))),
            Some("errors") if path.parts.len() == 2 => {
                let errors = match errors_table(self, &definition.plan.errors) {
                    Some(errors) => errors,
                    None => self.no_errors(),
                };
                Ok(self.use_table(&errors, Some(&path.text())))
            }
            Some("late") if path.parts.len() == 2 => match late_table(self, &definition.plan.errors) {
                Some(late) => Ok(self.use_table(&late, Some(&path.text()))),
                None => Err(names::UNKNOWN_TABLE
                    .error(format!("no row can come too late for `{}`", name.text), path.span)
                    .with_help("late rows are those of a `summarize` with `emit final` or `keep`")
                    .into()),
            },
            Some(_) => {
                let message = format!("`{}` is not a table", path.text());
                let column = definition
                    .plan
                    .columns
                    .iter()
                    .find(|column| path.parts.len() == 2 && column.name == path.last().text);
                let help = match column {
                    Some(column) => {
                        format!("a column is shown with `{} | select {}`", quoted(&name.text), quoted(&column.name))
                    }
                    None => format!("a table has `{}.errors` beside it", quoted(&name.text)),
                };
                Err(names::UNKNOWN_TABLE.error(message, path.span).with_help(help).into())
            }
        }
    }

    /// True if `table` is `other` or reads it, directly or not.
    fn stands_on(&self, table: &str, other: &str) -> bool {
        table == other
            || catalog::upstream(self.catalog, &BTreeSet::from([table.to_string()])).iter().any(|name| name == other)
    }

    fn missing_table(&self, path: &Path) -> Fault {
        let name = &path.parts[0];
        if self.failed.contains(&name.text) {
            return Fault::Quiet;
        }
        if self.defining == Some(&name.text) {
            let message = format!("`{}` is defined by itself", name.text);
            return names::CIRCULAR
                .error(message, name.span)
                .with_help("begin with another table, or with `rows` or `read`")
                .into();
        }
        let text = path.text();
        let connectors: Vec<&str> = self.env.connectors().iter().map(|spec| spec.name).collect();
        if connectors.contains(&text.as_str()) {
            let message = format!("unknown table `{text}`");
            return names::UNKNOWN_TABLE
                .error(message, path.span)
                .with_help(format!("`{text}` is a connector: `read {text}(…)`"))
                .into();
        }
        if self.catalog.params.contains_key(&name.text) {
            let message = format!("`{}` is a parameter, not a table", name.text);
            return names::UNKNOWN_TABLE.error(message, name.span).into();
        }
        let before = self.text[..name.span.start].trim_end_matches(' ');
        if before.ends_with("distinct") && before.len() < name.span.start {
            let message = format!("unknown table `{text}`: `distinct` takes no columns");
            let help = format!("choose them before: `| select {text} | distinct`");
            return names::UNKNOWN_TABLE.error(message, path.span).with_help(help).into();
        }
        if self.is_later(&name.text) {
            let fault = names::UNKNOWN_TABLE.error(format!("unknown table `{}`", name.text), name.span);
            return fault.with_help(later(&name.text)).into();
        }
        let tables = self.catalog.tables.keys().map(String::as_str);
        let tables: Vec<&str> = tables.filter(|table| Some(*table) != self.defining).collect();
        let diagnostic = fault::unknown_table(&name.text, &tables, name.span);
        match diagnostic.help {
            None => diagnostic.with_help(format!("define it first: `{} = rows [ … ]`", quoted(&name.text))).into(),
            Some(_) => diagnostic.into(),
        }
    }

    /// The errors of a table of which nothing can fail.
    fn no_errors(&self) -> TablePlan {
        let text = tidebook_plan::ColumnType::required(tidebook_plan::Type::Text);
        let columns: Vec<(String, tidebook_plan::ColumnType)> =
            ["_error", "_step"].iter().map(|name| (self.fresh(name), text.clone())).collect();
        let named = columns.iter().map(|(id, ty)| catalog::TableColumn {
            name: crate::resolve::base_name(id).to_string(),
            id: id.clone(),
            ty: ty.clone(),
            mark: None,
        });
        TablePlan {
            columns: named.collect(),
            order_columns: Vec::new(),
            plan: build::constant(&columns, Vec::new(), Origin::default()),
            key: Vec::new(),
            ordering: Vec::new(),
            retracts: false,
            errors: Vec::new(),
            sources: Vec::new(),
            histories: Vec::new(),
        }
    }
}
