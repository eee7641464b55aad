//! The aggregates of a `summarize`, gathered while its expressions are resolved: `sum(a) / count()` becomes an
//! expression over two columns of the aggregate node.

use std::cell::RefCell;

use tidebook_plan::{ColumnType, Span};

use crate::diagnostics::names;
use crate::functions::{self, AggregateFunction, FaultKind, Typed};
use crate::logical::AggregateColumn;
use crate::resolve::expression::{call_fault, spans};
use crate::resolve::fault::{self, Resolved};
use crate::resolve::scope::{Scope, ScopeColumn, quoted};
use crate::resolve::{Reach, Resolver};
use crate::syntax::tree::{Call, Name};

/// The aggregates that run.
pub(crate) const NAMES: &[&str] = &["count", "sum", "avg", "min", "max", "any", "all"];

/// Aggregates and other functions of the language that this build does not run.
const UNAVAILABLE_AGGREGATES: &[&str] = &[
    "count_distinct",
    "first",
    "last",
    "arg_min",
    "arg_max",
    "list",
    "set",
    "join",
    "median",
    "quantile",
    "stddev",
    "variance",
    "approx_count_distinct",
];
const UNAVAILABLE_WINDOWS: &[&str] = &["tumble", "hop", "session"];
const UNAVAILABLE_OVER: &[&str] = &["lag", "lead", "row_number", "rank", "dense_rank"];
const UNAVAILABLE_MODELS: &[&str] = &["llm", "extract", "rerank", "describe", "parse", "chunk", "embed"];

/// The aggregate called `name`, if it is one that runs.
pub(crate) fn kind(name: &str) -> Option<&'static str> {
    NAMES.iter().find(|known| **known == name).copied()
}

/// What to call a function of the language that this build does not have.
pub(crate) fn unavailable(name: &str) -> Option<String> {
    let what = if UNAVAILABLE_AGGREGATES.contains(&name) {
        "the aggregate"
    } else if UNAVAILABLE_WINDOWS.contains(&name) {
        "the time window"
    } else if UNAVAILABLE_OVER.contains(&name) {
        "the window function"
    } else if UNAVAILABLE_MODELS.contains(&name) {
        "the function"
    } else {
        return None;
    };
    Some(format!("{what} `{name}`"))
}

/// What a `summarize` needs computed: columns before the grouping, aggregates in it.
pub(crate) struct Aggregation<'a> {
    /// The columns that aggregates are of.
    pub input: &'a Scope,
    /// True if there are keys: then no group is empty.
    pub keyed: bool,
    /// Columns to compute before the grouping.
    pub computed: RefCell<Vec<(ScopeColumn, Typed)>>,
    /// The aggregates, with the types of their results.
    pub aggregates: RefCell<Vec<(AggregateColumn, ColumnType)>>,
}

impl<'a> Aggregation<'a> {
    /// No aggregates yet.
    pub fn new(input: &'a Scope, keyed: bool, computed: Vec<(ScopeColumn, Typed)>) -> Self {
        Aggregation { input, keyed, computed: RefCell::new(computed), aggregates: RefCell::default() }
    }

    /// The value of a call of the aggregate `name`.
    pub fn call(
        &self,
        resolver: &Resolver<'_>,
        name: &'static str,
        call: &Call,
        span: Span,
        reach: Reach<'_>,
    ) -> Resolved<Typed> {
        if let Some(argument) = call.arguments.named.first() {
            let message = format!("`{name}` has no argument called `{}`", argument.name.text);
            return Err(names::ARGUMENT_COUNT.error(message, argument.name.span).into());
        }
        if let Some(key) = call.by.first().or(call.sort.first()) {
            return Err(names::MISPLACED_AGGREGATE.error(format!("`{name}` takes no order"), key.span).into());
        }
        let inner = Reach { scope: self.input, locals: reach.locals, aggregation: None, constant_in: None };
        let arguments = &call.arguments.positional;
        let mut typed = Vec::with_capacity(arguments.len());
        for argument in arguments {
            typed.push(resolver.expression(argument, inner)?);
        }
        let filter = call.filter.as_ref().map(|filter| resolver.condition(filter, inner)).transpose()?;
        // `any` is the largest of bools, `all` the smallest.
        let known = match name {
            "any" | "all" => {
                if let Some(argument) = typed.pop() {
                    typed.push(resolver.as_bool(argument, arguments[typed.len()].span)?);
                }
                if name == "any" { "max" } else { "min" }
            }
            name => name,
        };
        let Some(bound) = functions::aggregate(known, typed) else {
            unreachable!("`{known}` is an aggregate of the library");
        };
        let mut bound = bound.map_err(|mut f| {
            f.message = f.message.replace(&format!("`{known}`"), &format!("`{name}`"));
            if f.kind == FaultKind::Arity { call_fault(f, span, &[]) } else { call_fault(f, span, &spans(arguments)) }
        })?;
        if let Some(argument) = &bound.argument
            && self.keyed
            && filter.is_none()
            && !argument.ty.nullable
        {
            bound.result.nullable = false;
        }
        let input = bound.argument.map(|argument| self.column(resolver, argument, name));
        let filter = filter.map(|filter| self.column(resolver, filter, "filter"));
        Ok(self.aggregate(resolver, bound.function, input, filter, bound.result, name))
    }

    fn aggregate(
        &self,
        resolver: &Resolver<'_>,
        function: AggregateFunction,
        input: Option<String>,
        filter: Option<String>,
        ty: ColumnType,
        name: &str,
    ) -> Typed {
        let mut aggregates = self.aggregates.borrow_mut();
        let same = |a: &AggregateColumn| a.function == function && a.input == input && a.filter == filter;
        if let Some((known, _)) = aggregates.iter().find(|(known, _)| same(known)) {
            return Typed::column(known.output.clone(), ty);
        }
        let output = resolver.fresh(name);
        aggregates.push((AggregateColumn { function, input, filter, output: output.clone() }, ty.clone()));
        Typed::column(output, ty)
    }

    /// The id of the column that holds an expression before the grouping.
    fn column(&self, resolver: &Resolver<'_>, typed: Typed, name: &str) -> String {
        if let datafusion_expr::Expr::Column(column) = &typed.expr {
            return column.name.clone();
        }
        let mut computed = self.computed.borrow_mut();
        if let Some((column, _)) = computed.iter().find(|(_, known)| *known == typed) {
            return column.id.clone();
        }
        let id = resolver.fresh(name);
        let column = ScopeColumn { hidden: true, ..ScopeColumn::new(name, &*id, typed.ty.clone()) };
        computed.push((column, typed));
        id
    }

    /// A bare name that is a column of the input, but not a key.
    pub fn refuse_bare_column(&self, name: &Name) -> Resolved<()> {
        match self.input.find(&name.text, name.span)? {
            Some(_) => Err(ungrouped(&quoted(&name.text), name.span).into()),
            None => Ok(()),
        }
    }

    /// `table.name` of the input that is not a key.
    pub fn refuse_qualified_column(&self, table: &str, name: &Name, keys: &Scope, span: Span) -> Resolved<()> {
        if !self.input.is_qualifier(table) || keys.find_qualified(table, &name.text, span, name.span).is_ok() {
            return Ok(());
        }
        self.input.find_qualified(table, &name.text, span, name.span)?;
        Err(ungrouped(&format!("{}.{}", quoted(table), quoted(&name.text)), span).into())
    }
}

fn ungrouped(name: &str, span: Span) -> tidebook_plan::Diagnostic {
    names::UNGROUPED_COLUMN
        .error(format!("`{name}` is neither a key nor inside of an aggregate"), span)
        .with_help(format!("add it to the keys (`by {name}`), or say which value is meant: `max({name})`"))
}

/// A diagnostic for a nested `summarize` of windows in time.
pub(crate) fn refuse_time(summarize: &crate::syntax::tree::Summarize) -> Resolved<()> {
    use crate::syntax::tree::Emit;
    let late = summarize.late.as_ref().map(|e| ("`late`", e.span));
    let keep = summarize.keep.as_ref().map(|e| ("`keep`", e.span));
    let emit = match &summarize.emit {
        Some(Emit::Final(span)) => Some(("`emit final`", *span)),
        Some(Emit::Every(_, span)) => Some(("`emit every`", *span)),
        Some(Emit::Live(_)) | None => None,
    };
    match emit.or(late).or(keep) {
        Some((what, span)) => Err(fault::not_available(what, span).into()),
        None => Ok(()),
    }
}
