//! The aggregates of a `summarize`, gathered while its expressions are resolved: `sum(a) / count()` becomes an
//! expression over two columns of the aggregate node.

use std::cell::RefCell;

use tidebook_plan::{ColumnType, Span};

use crate::diagnostics::names;
use crate::functions::{self, OrderWord, Typed};
use crate::logical::{AggregateColumn, SortColumn};
use crate::resolve::computed::{Computed, may_lack_value};
use crate::resolve::expression::Local;
use crate::resolve::fault::Resolved;
use crate::resolve::scope::{Scope, ScopeColumn, quoted};
use crate::resolve::{Reach, Resolver, collapse};
use crate::syntax::tree::{Call, Name};

/// Other functions of the language that this build does not run.
const UNAVAILABLE_MODELS: &[&str] = &["llm", "extract", "rerank", "describe", "parse", "chunk", "embed"];

/// The names of the aggregates.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    functions::AGGREGATES.iter().map(|aggregate| aggregate.name)
}

/// The aggregate called `name`, if it is one.
pub(crate) fn kind(name: &str) -> Option<&'static str> {
    names().find(|known| *known == name)
}

/// What to call a function of the language that this build does not have.
pub(crate) fn unavailable(name: &str) -> Option<String> {
    UNAVAILABLE_MODELS.contains(&name).then(|| format!("the function `{name}`"))
}

/// What a `summarize` needs computed: columns before the grouping, aggregates in it.
pub(crate) struct Aggregation<'a> {
    /// The columns that aggregates are of.
    pub input: &'a Scope,
    /// The order that the table has of its own: ids, with true for descending.
    pub ordering: &'a [(String, bool)],
    /// True if there are keys: then no group is empty.
    pub keyed: bool,
    /// Columns to compute before the grouping.
    pub computed: Computed,
    /// The rows that aggregates are of, where not all.
    pub only: RefCell<Option<Typed>>,
    /// The aggregates, with the types of their results.
    pub aggregates: RefCell<Vec<(AggregateColumn, ColumnType)>>,
}

impl<'a> Aggregation<'a> {
    /// No aggregates yet.
    pub fn new(
        input: &'a Scope,
        ordering: &'a [(String, bool)],
        keyed: bool,
        computed: Vec<(ScopeColumn, Typed)>,
    ) -> Self {
        Aggregation {
            input,
            ordering,
            keyed,
            computed: Computed::new(computed),
            only: RefCell::default(),
            aggregates: RefCell::default(),
        }
    }

    /// What `resolve` gives inside of an aggregate that stands where `reach` is.
    pub fn inner<T>(&self, reach: Reach<'_>, resolve: impl FnOnce(Reach<'_>) -> T) -> T {
        let locals = reach.locals.map(Local::inside);
        let nothing = Scope::default();
        // The body of a `fn` sees its parameters only.
        let scope = if locals.is_some() { &nothing } else { self.input };
        resolve(Reach { locals: locals.as_ref(), aggregated: true, ..Reach::columns(scope) })
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
        self.inner(reach, |inner| self.bind(resolver, name, call, span, inner))
    }

    /// As [`Aggregation::call`]; `inner` is what its arguments can name.
    fn bind(
        &self,
        resolver: &Resolver<'_>,
        name: &'static str,
        call: &Call,
        span: Span,
        inner: Reach<'_>,
    ) -> Resolved<Typed> {
        if let Some(argument) = call.arguments.named.first() {
            let message = format!("`{name}` has no argument called `{}`", argument.name.text);
            return Err(names::ARGUMENT_COUNT.error(message, argument.name.span).into());
        }
        let arguments = &call.arguments.positional;
        let mut typed = Vec::with_capacity(arguments.len());
        for argument in arguments {
            typed.push(resolver.expression(argument, inner)?);
        }
        let order = self.order(resolver, name, call, span, inner)?;
        let (mut bound, filter) = resolver.aggregate_call(name, call, span, (typed, order), inner)?;
        let filter = match (filter, self.only.borrow().clone()) {
            (Some(filter), Some(only)) => Some(both(filter, only)),
            (filter, only) => filter.or(only),
        };
        bound.result.nullable &= !self.keyed || may_lack_value(&bound, filter.is_some());
        let input = bound.argument.map(|argument| self.computed.column(resolver, argument, name));
        let filter = filter.map(|filter| self.computed.column(resolver, filter, "filter"));
        let key = |(key, descending)| SortColumn { column: self.computed.column(resolver, key, "order"), descending };
        let order = bound.order.into_iter().map(key).collect();
        let aggregate =
            AggregateColumn { function: bound.function, input, filter, order, output: resolver.fresh(name) };
        Ok(self.add(aggregate, bound.result))
    }

    /// The order in which an aggregate sees rows.
    fn order(
        &self,
        resolver: &Resolver<'_>,
        name: &str,
        call: &Call,
        span: Span,
        reach: Reach<'_>,
    ) -> Resolved<Vec<(Typed, bool)>> {
        misplaced_order(resolver, name, call)?;
        let keys = if functions::order_word(name) == OrderWord::By { &call.by } else { &call.sort };
        if functions::order_word(name) == OrderWord::By && keys.is_empty() {
            return self.own_order(name, span);
        }
        keys.iter().map(|key| Ok((resolver.expression(&key.expr, reach)?, key.descending))).collect()
    }

    /// The order that the table was put into by an earlier step.
    fn own_order(&self, name: &str, span: Span) -> Resolved<Vec<(Typed, bool)>> {
        let column = |(id, descending): &(String, bool)| {
            let column = self.input.columns.iter().find(|column| column.id == *id)?;
            Some((Typed::column(column.id.clone(), column.ty.clone()), *descending))
        };
        let keys: Vec<(Typed, bool)> = self.ordering.iter().map_while(column).collect();
        if keys.is_empty() {
            let message = format!("`{name}` of a table without an order");
            return Err(names::NEEDS_ORDER
                .error(message, span)
                .with_help(format!("say by which column: `{name}(… by at)`, or `sort` the table before"))
                .into());
        }
        Ok(keys)
    }

    /// The column of an aggregate, which may be there already.
    fn add(&self, aggregate: AggregateColumn, ty: ColumnType) -> Typed {
        let mut aggregates = self.aggregates.borrow_mut();
        let same = |known: &AggregateColumn| AggregateColumn { output: aggregate.output.clone(), ..known.clone() };
        if let Some((known, _)) = aggregates.iter().find(|(known, _)| same(known) == aggregate) {
            return Typed::column(known.output.clone(), ty);
        }
        let output = aggregate.output.clone();
        aggregates.push((aggregate, ty.clone()));
        Typed::column(output, ty)
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

fn both(filter: Typed, only: Typed) -> Typed {
    match functions::and(filter, only) {
        Ok(both) => both,
        Err(_) => unreachable!("filters are conditions"),
    }
}

/// Refuses an order that the aggregate does not take, or takes by another word.
pub(crate) fn misplaced_order(resolver: &Resolver<'_>, name: &str, call: &Call) -> Resolved<()> {
    let misplaced = match functions::order_word(name) {
        OrderWord::None => call.by.first().or(call.sort.first()),
        OrderWord::By => call.sort.first(),
        OrderWord::Sort => call.by.first(),
    };
    let Some(key) = misplaced else { return Ok(()) };
    let fault = &names::MISPLACED_AGGREGATE;
    let key_text = collapse(key.span.of(resolver.text));
    Err(match functions::order_word(name) {
        OrderWord::None => fault.error(format!("`{name}` takes no order"), key.span),
        OrderWord::By => fault
            .error(format!("`{name}` takes its order with `by`"), key.span)
            .with_help(format!("write `{name}(… by {key_text})`")),
        OrderWord::Sort => fault
            .error(format!("`{name}` takes its order with `sort by`"), key.span)
            .with_help(format!("write `{name}(… sort by {key_text})`")),
    }
    .into())
}

fn ungrouped(name: &str, span: Span) -> tidebook_plan::Diagnostic {
    names::UNGROUPED_COLUMN
        .error(format!("`{name}` is neither a key nor inside of an aggregate"), span)
        .with_help(format!("add it to the keys (`by {name}`), or say which value is meant: `max({name})`"))
}
