//! Expressions that a node needs as columns below it, and calls of aggregates whose arguments become such.

use std::cell::RefCell;

use tidebook_plan::Span;

use crate::functions::{self, AggregateCall, AggregateFunction, FaultKind, Typed};
use crate::resolve::expression::{call_fault, spans};
use crate::resolve::fault::Resolved;
use crate::resolve::scope::ScopeColumn;
use crate::resolve::{Reach, Resolver};
use crate::syntax::tree::Call;

/// Columns to compute, each of them once.
#[derive(Default)]
pub(crate) struct Computed(RefCell<Vec<(ScopeColumn, Typed)>>);

impl Computed {
    /// Begins with these.
    pub fn new(columns: Vec<(ScopeColumn, Typed)>) -> Self {
        Computed(RefCell::new(columns))
    }

    /// The id of the column that holds an expression; of a column its own. `name` is for explanations.
    pub fn column(&self, resolver: &Resolver<'_>, typed: Typed, name: &str) -> String {
        if let datafusion_expr::Expr::Column(column) = &typed.expr {
            return column.name.clone();
        }
        let mut computed = self.0.borrow_mut();
        if let Some((column, _)) = computed.iter().find(|(_, known)| *known == typed) {
            return column.id.clone();
        }
        let id = resolver.fresh(name);
        let column = ScopeColumn { hidden: true, ..ScopeColumn::new("", &*id, typed.ty.clone()) };
        computed.push((column, typed));
        id
    }

    /// All of them.
    pub fn take(self) -> Vec<(ScopeColumn, Typed)> {
        self.0.into_inner()
    }
}

impl Resolver<'_> {
    /// A call of the aggregate `name` with its filter, of these arguments and over rows in this order; `inner` is what the
    /// filter can name.
    pub(crate) fn aggregate_call(
        &self,
        name: &'static str,
        call: &Call,
        span: Span,
        (mut typed, order): (Vec<Typed>, Vec<(Typed, bool)>),
        inner: Reach<'_>,
    ) -> Resolved<(AggregateCall, Option<Typed>)> {
        let arguments = &call.arguments.positional;
        let filter = call.filter.as_ref().map(|filter| self.condition(filter, inner)).transpose()?;
        if matches!(name, "any" | "all")
            && let [argument] = &mut typed[..]
        {
            *argument = self.as_bool(argument.clone(), arguments[0].span)?;
        }
        let Some(bound) = functions::aggregate(name, typed, order) else {
            unreachable!("`{name}` is an aggregate of the library");
        };
        let bound = bound.map_err(|fault| {
            let mut places = spans(arguments);
            places.extend(call.by.iter().chain(&call.sort).map(|key| key.span));
            if fault.kind == FaultKind::Arity { call_fault(fault, span, &[]) } else { call_fault(fault, span, &places) }
        })?;
        Ok((bound, filter))
    }
}

/// True if there may be rows, but no value of the aggregate over them.
pub(crate) fn may_lack_value(bound: &AggregateCall, filtered: bool) -> bool {
    let two_values = matches!(bound.function, AggregateFunction::Variance | AggregateFunction::StandardDeviation);
    let mut read = bound.argument.iter().chain(bound.order.iter().map(|(key, _)| key));
    filtered || two_values || read.any(|typed| typed.ty.nullable)
}
