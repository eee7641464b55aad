//! What each statement does to the catalog, or which program it becomes.

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion_expr::LogicalPlan;
use tidebook_plan::{Schema, Span};

use crate::catalog::{Definition, FunctionDefinition, TablePlan, Uses, upstream};
use crate::compile::give;
use crate::compile::run::Run;
use crate::compile::{ExpectProgram, OutputText, ShowProgram, StatementKind, TableProgram, WriteProgram};
use crate::diagnostics::{names, steps};
use crate::logical;
use crate::lower::{LoweredProgram, lower};
use crate::resolve::{Fault, Resolved, Resolver, collapse, errors_table, fault, holds_aggregates};
use crate::syntax::tree::StatementKind as Written;
use crate::syntax::tree::{Expect, Expr, FnParam, HeadKind, Name, Pipeline, Statement, Step, StepKind, TypeExpr};

impl Run<'_> {
    /// Compiles one statement.
    pub fn statement(&mut self, statement: &Statement) {
        let span = statement.span;
        self.clear_notes();
        let result = match &statement.kind {
            Written::Define { name, pipeline } => self.define(name, pipeline),
            Written::Show(pipeline) => self.output(pipeline, span),
            Written::Expect(expect) => self.expect(expect, span),
            Written::Param { name, ty, default } => self.param(name, ty, default.as_ref()),
            Written::Set { name, value } => self.set(name, value),
            Written::Fn { name, params, returns, body } => self.function(name, params, returns.as_ref(), body),
            Written::Drop(dropped) => self.drop_names(dropped),
            Written::Command(command) if command.name.text == give::COMMAND => self.give(command),
            Written::Command(command) => {
                Ok(StatementKind::Command { name: command.name.text.clone(), args: command.arguments.clone() })
            }
            Written::Reply { table, .. } => {
                Err(fault::not_available("`reply`", Span::new(span.start, table.span.start)).into())
            }
            Written::Foreign { language, .. } => {
                Err(fault::not_available(&format!("a cell in `{}`", language.text), language.span).into())
            }
        };
        match result {
            Ok(kind) => {
                self.warn();
                self.compiled(span, kind);
            }
            Err(fault) => self.fault(fault),
        }
    }

    fn define(&mut self, name: &Name, pipeline: &Pipeline) -> Resolved<StatementKind> {
        if !self.defined.insert(name.text.clone()) {
            let message = format!("`{}` is defined twice in this cell", name.text);
            return Err(names::SAME_NAME.error(message, name.span).with_help("give one of them another name").into());
        }
        let statement = format!("table {}", name.text);
        let generation = self.generation(statement.clone());
        let (text, failed) = (Arc::clone(&self.text), self.failed.clone());
        let (result, uses) = self.resolve(&text, &failed, Some(&name.text), (&statement, generation), |resolver| {
            resolver.table_plan(pipeline)
        });
        let plan = match result {
            Ok(plan) => plan,
            Err(fault) => {
                if !self.catalog.tables.contains_key(&name.text) {
                    drop(failed);
                    Arc::make_mut(&mut self.failed).insert(name.text.clone());
                }
                return Err(fault);
            }
        };
        let schema = plan.schema();
        let definition = Definition {
            cell: self.cell.to_string(),
            text,
            name: name.clone(),
            pipeline: Arc::new(pipeline.clone()),
            plan: Arc::new(plan),
            broken: None,
            uses,
            generation,
        };
        self.catalog.tables.insert(name.text.clone(), definition);
        self.refresh(&Uses { tables: BTreeSet::from([name.text.clone()]), ..Uses::default() });
        Ok(StatementKind::Define { name: name.text.clone(), schema })
    }

    /// A bare pipeline, or one that ends with `show` or `write`.
    fn output(&mut self, pipeline: &Pipeline, span: Span) -> Resolved<StatementKind> {
        let (text, failed) = (Arc::clone(&self.text), self.failed.clone());
        let statement = format!("output {} {}", self.cell, collapse(span.of(&text)));
        let generation = self.generation(statement.clone());
        let source = self.source(span);
        let (last, before) = match pipeline.steps.split_last() {
            Some((last, before)) if matches!(last.kind, StepKind::Show { .. } | StepKind::Write(_)) => {
                (Some(last), before)
            }
            _ => (None, pipeline.steps.as_slice()),
        };
        let (result, _) = self.resolve(&text, &failed, None, (&statement, generation), |resolver| match last {
            Some(step @ Step { kind: StepKind::Write(sink), .. }) => {
                let write = resolver.write(pipeline, before, sink, step)?;
                let (connector, options, mode) = (write.connector, write.options, write.mode);
                let table = program(resolver, write.table, pipeline, before)?;
                Ok(StatementKind::Write(WriteProgram { table, connector, options, mode, source }))
            }
            last => {
                let (mut limit, mut every) = (None, None);
                if let Some(StepKind::Show { limit: rows, every: pause }) = last.map(|step| &step.kind) {
                    let rows = rows.as_ref().map(|rows| resolver.count(rows, "`show limit`")).transpose()?;
                    limit = rows.map(|rows| usize::try_from(rows).unwrap_or(usize::MAX));
                    every = pause.as_ref().map(|pause| resolver.duration(pause, "`every`")).transpose()?;
                }
                let relation = resolver.steps(pipeline, before)?;
                let table = resolver.finish(relation, result_span(pipeline, before))?;
                let table = program(resolver, table, pipeline, before)?;
                Ok(StatementKind::Show(ShowProgram { table, limit, every, source }))
            }
        });
        result.map_err(|fault| lone_name(fault, pipeline, &text))
    }

    fn expect(&mut self, expect: &Expect, span: Span) -> Resolved<StatementKind> {
        let (text, failed) = (Arc::clone(&self.text), self.failed.clone());
        let written = collapse(span.of(&text));
        let statement = format!("output {} {written}", self.cell);
        let generation = self.generation(statement.clone());
        let source = self.source(span);
        let (result, _) = self.resolve(&text, &failed, None, (&statement, generation), |resolver| {
            let expectation = resolver.expectation(expect, span)?;
            let (holds_when, within) = (expectation.holds_when, expectation.within);
            let table = program(resolver, expectation.table, &expect.subject, &expect.subject.steps)?;
            Ok(StatementKind::Expect(ExpectProgram { table, holds_when, within, text: written, source }))
        });
        result
    }

    fn param(&mut self, name: &Name, ty: &TypeExpr, default: Option<&Expr>) -> Resolved<StatementKind> {
        let (text, failed, cell) = (Arc::clone(&self.text), self.failed.clone(), self.cell);
        let (result, _) =
            self.resolve(&text, &failed, None, ("", 0), |resolver| resolver.param(cell, name, ty, default));
        let param = result.inspect_err(|_| self.lost(name))?;
        let kind =
            StatementKind::Param { name: name.text.clone(), ty: param.ty.ty.clone(), value: param.shown.clone() };
        self.catalog.params.insert(name.text.clone(), param);
        self.refresh(&Uses { params: BTreeSet::from([name.text.clone()]), ..Uses::default() });
        Ok(kind)
    }

    /// A parameter or function that is missing now: who uses it is not told again, unless an earlier one still stands.
    fn lost(&mut self, name: &Name) {
        let known = self.catalog.params.contains_key(&name.text) || self.catalog.functions.contains_key(&name.text);
        if !known {
            Arc::make_mut(&mut self.failed).insert(name.text.clone());
        }
    }

    fn set(&mut self, name: &Name, value: &Expr) -> Resolved<StatementKind> {
        let (text, failed) = (Arc::clone(&self.text), self.failed.clone());
        let (result, _) = self.resolve(&text, &failed, None, ("", 0), |resolver| resolver.setting(name, value));
        let value = result?;
        self.catalog.settings.insert(name.text.clone(), value.clone());
        Ok(StatementKind::Set { name: name.text.clone(), value })
    }

    fn function(
        &mut self,
        name: &Name,
        params: &[FnParam],
        returns: Option<&TypeExpr>,
        body: &Expr,
    ) -> Resolved<StatementKind> {
        let (text, failed) = (Arc::clone(&self.text), self.failed.clone());
        let (result, _) =
            self.resolve(&text, &failed, None, ("", 0), |resolver| resolver.function(name, params, returns, body));
        let (params, returns) = result.inspect_err(|_| self.lost(name))?;
        let aggregates = holds_aggregates(self.catalog, body);
        let (cell, body) = (self.cell.to_string(), Arc::new(body.clone()));
        let function = FunctionDefinition { cell, params, returns, body, aggregates };
        self.catalog.functions.insert(name.text.clone(), function);
        self.refresh(&Uses { functions: BTreeSet::from([name.text.clone()]), ..Uses::default() });
        Ok(StatementKind::Function { name: name.text.clone() })
    }

    fn drop_names(&mut self, dropped: &[Name]) -> Resolved<StatementKind> {
        for name in dropped {
            let catalog = &self.catalog;
            let all = catalog.tables.keys().chain(catalog.functions.keys()).chain(catalog.params.keys());
            let all: Vec<&str> = all.map(String::as_str).collect();
            if !all.contains(&name.text.as_str()) {
                let message = format!("nothing is called `{}`", name.text);
                return Err(fault::suggest(
                    names::UNKNOWN_TABLE.error(message, name.span),
                    &name.text,
                    &all,
                    "defined are",
                )
                .into());
            }
        }
        for name in dropped {
            self.forget(&name.text);
        }
        Ok(StatementKind::Drop { names: dropped.iter().map(|name| name.text.clone()).collect() })
    }

    fn source(&self, span: Span) -> OutputText {
        OutputText { cell: self.cell.to_string(), text: Arc::clone(&self.text), span }
    }
}

impl Resolver<'_> {
    /// The plan of a definition.
    pub(crate) fn table_plan(&self, pipeline: &Pipeline) -> Resolved<TablePlan> {
        let relation = self.defined_pipeline(pipeline)?;
        let mut table = self.finish(relation, result_span(pipeline, &pipeline.steps))?;
        if self.holds.get() {
            // What came too late, and the errors of what has closed, are kept whether somebody reads them or not.
            let beside = table.errors.iter().map(|stream| &stream.plan).filter(|plan| logical::is_held(plan));
            let roots: Vec<LogicalPlan> = std::iter::once(&table.plan).chain(beside).cloned().collect();
            table.histories = lowered(self, &roots, pipeline.span)?.histories;
        }
        Ok(table)
    }
}

/// An unknown name that stands on the line of the statement before: likely the rest of a list that lacks a comma.
fn lone_name(fault: Fault, pipeline: &Pipeline, text: &str) -> Fault {
    let before = text[..pipeline.span.start].rsplit('\n').next().unwrap_or("").trim();
    match fault {
        Fault::Said(fault)
            if fault.code == names::UNKNOWN_TABLE.code && pipeline.steps.is_empty() && !before.is_empty() =>
        {
            let name = collapse(pipeline.span.of(text));
            let help =
                format!("`{name}` is a statement of its own here: put a comma before it if it goes on with a list");
            fault.with_help(help).into()
        }
        fault => fault,
    }
}

/// Where a fault of the whole result is shown: at the last step.
fn result_span(pipeline: &Pipeline, steps: &[Step]) -> Span {
    steps.last().map_or(pipeline.head.span, |step| step.span)
}

/// The program of a table that is shown, written or watched.
fn program(resolver: &Resolver<'_>, table: TablePlan, pipeline: &Pipeline, before: &[Step]) -> Resolved<TableProgram> {
    let bare = match &pipeline.head.kind {
        HeadKind::Table(path)
            if before.iter().all(|step| matches!(step.kind, StepKind::Sort(_) | StepKind::Limit(_))) =>
        {
            Some(path)
        }
        _ => None,
    };
    let label = bare.map_or_else(|| collapse(pipeline.span.of(resolver.text)), |path| path.text());
    let mut streams = table.errors.clone();
    // A table that is shown as it is brings the errors of its definition with it.
    if let Some(name) = bare.and_then(|path| path.single())
        && let Some(definition) = resolver.catalog.tables.get(&name.text)
    {
        streams.splice(0..0, definition.plan.errors.iter().cloned());
    }
    let errors = errors_table(resolver, &streams);
    let mut roots = vec![table.plan.clone()];
    roots.extend(errors.iter().map(|errors| errors.plan.clone()));
    let LoweredProgram { plan, histories } = lowered(resolver, &roots, pipeline.span)?;
    let schema: Schema = table.schema();
    Ok(TableProgram {
        label,
        schema,
        order_columns: table.order_columns.into_iter().map(|column| column.ty).collect(),
        ordering: table.ordering,
        plan,
        histories,
        tables: stands_on(resolver),
        retracts: table.retracts,
        has_errors_port: errors.is_some(),
    })
}

/// The flow plan of logical ones.
fn lowered(resolver: &Resolver<'_>, roots: &[LogicalPlan], span: Span) -> Resolved<LoweredProgram> {
    lower(roots, resolver.env.optimizes()).map_err(|error| {
        let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
        steps::NOT_AVAILABLE.error(format!("this build cannot run this: {error}{cause}"), span).into()
    })
}

/// All definitions that a statement stands on: tables, then parameters and functions, its own and those of its tables.
fn stands_on(resolver: &Resolver<'_>) -> Vec<String> {
    let uses = resolver.uses.borrow();
    let mut names = upstream(resolver.catalog, &uses.tables);
    let mut others: BTreeSet<&String> = uses.params.iter().chain(&uses.functions).collect();
    for name in &names {
        if let Some(definition) = resolver.catalog.tables.get(name) {
            others.extend(definition.uses.params.iter().chain(&definition.uses.functions));
        }
    }
    let others: Vec<String> = others.into_iter().filter(|name| !names.contains(name)).cloned().collect();
    names.extend(others);
    names
}
