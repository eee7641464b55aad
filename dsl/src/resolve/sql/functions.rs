//! Calls. A function of SQL that means what one of ours means is that one, whatever it is called there.

use datafusion_sql::sqlparser::ast::{
    DuplicateTreatment, Expr as SqlExpr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentClause,
    FunctionArguments, NullTreatment, OrderByExpr, Value, ValueWithSpan,
};
use tidebook_plan::Span;

use super::Sql;
use super::block::Block;
use super::expression::{binary, call, int, position, substring};
use super::literal::field_of;
use crate::diagnostics::names;
use crate::functions;
use crate::resolve::aggregate;
use crate::resolve::fault::Resolved;
use crate::syntax::tree::{Arguments, BinaryOperator, Call, Expr, ExprKind, Literal, Name, Path, SortKey};

/// Aggregates and window functions by other names.
const AGGREGATES: &[(&str, &str)] = &[
    ("mean", "avg"),
    ("approx_distinct", "approx_count_distinct"),
    ("approx_median", "median"),
    ("array_agg", "list"),
    ("bool_and", "all"),
    ("every", "all"),
    ("bool_or", "any"),
    ("some", "any"),
    ("string_agg", "join"),
    ("listagg", "join"),
    ("group_concat", "join"),
    ("stddev_samp", "stddev"),
    ("var", "variance"),
    ("var_samp", "variance"),
    ("var_sample", "variance"),
    ("first_value", "first"),
    ("last_value", "last"),
    ("percentile_cont", "quantile"),
    ("quantile_cont", "quantile"),
    ("max_by", "arg_max"),
    ("min_by", "arg_min"),
    ("argmax", "arg_max"),
    ("argmin", "arg_min"),
];

/// What SQL has and the language does not, with the reason.
const REFUSED: &[(&str, &str)] = &[
    ("ntile", "its groups all shift when a row comes"),
    ("percent_rank", "divide `rank() over (…) - 1` by `count(*) over (…) - 1`"),
    ("cume_dist", "divide a running count by `count(*) over (…)`"),
    ("nth_value", "take `row_number() over (…)` in a subquery and join the row with the number"),
    ("grouping", "unite one grouping after the other with `union all`"),
    ("corr", "compute it of sums: of x, y, x * y and the squares"),
    ("covar_pop", "compute it of sums: of x, y and x * y"),
    ("covar_samp", "compute it of sums: of x, y and x * y"),
    ("stddev_pop", "`stddev` is that of the sample"),
    ("var_pop", "`variance` is that of the sample"),
    ("mode", "count by value, and take the first by count"),
];

/// The name that we have for an aggregate of SQL.
pub(super) fn aggregate_name(name: &str) -> Option<&'static str> {
    let renamed = AGGREGATES.iter().find(|(sql, _)| *sql == name).map_or(name, |(_, ours)| ours);
    aggregate::kind(renamed)
}

/// The call's name in lower case; with a schema, as it is written.
pub(super) fn name_of(function: &Function) -> String {
    function.name.to_string().to_lowercase()
}

impl Sql<'_, '_> {
    /// A call of a function, an aggregate or a window function.
    pub(super) fn function(&self, function: &Function, block: &Block<'_>) -> Resolved<Expr> {
        let name = name_of(function);
        let span = self.places.closed(self.sql_span(function));
        let name_span = self.span(&function.name);
        if let Some((_, help)) = REFUSED.iter().find(|(refused, _)| *refused == name) {
            return Err(self.unsupported(&format!("`{name}`"), help, span));
        }
        let is_window = functions::WINDOWS.iter().any(|window| window.name == name);
        let aggregate = aggregate_name(&name);
        if function.over.is_some() || aggregate.is_some() || is_window {
            let tree = self.aggregate_call(aggregate.unwrap_or(&name), function, span, block)?;
            return Ok(Expr { kind: ExprKind::Call(Box::new(tree)), span });
        }
        if let Some(filter) = &function.filter {
            let message = format!("`{name}` is not an aggregate, so it takes no `filter`");
            return Err(names::MISPLACED_AGGREGATE.error(message, self.span(&**filter)).into());
        }
        let (arguments, clauses, distinct) = self.arguments(function, block)?;
        if distinct || !clauses.is_empty() || !function.within_group.is_empty() {
            let message = format!("`{name}` is not an aggregate, so it takes no order");
            return Err(names::MISPLACED_AGGREGATE.error(message, span).into());
        }
        self.scalar_call(&name, arguments, (span, name_span))
    }

    /// A function of one row. Some have their arguments in another order there, or count from 1.
    fn scalar_call(&self, name: &str, arguments: Vec<Expr>, (span, name_span): (Span, Span)) -> Resolved<Expr> {
        let count = arguments.len();
        let mut given = arguments.clone().into_iter();
        let mut next = || given.next().unwrap_or_else(|| unreachable!("arguments are counted before"));
        Ok(match (name, count) {
            ("substr" | "substring" | "mid", 2 | 3) => {
                let (text, start) = (next(), next());
                substring(text, Some(start), (count == 3).then(next), span)
            }
            ("strpos" | "instr" | "position", 2) => {
                let (text, part) = (next(), next());
                position(text, part, span)
            }
            ("date_trunc" | "datetrunc", 2) => {
                let (unit, at) = (next(), next());
                call("truncate", vec![at, unit], span)
            }
            ("date_part" | "datepart", 2) => {
                let (field, at) = (next(), next());
                let ExprKind::Literal(Literal::Text(word)) = &field.kind else {
                    return Err(self.unsupported(
                        "a part of a time that is computed",
                        "write it as a text",
                        field.span,
                    ));
                };
                match field_of(word) {
                    Some(field) => self.part(&field, at, span)?,
                    None => return Err(self.unsupported(&format!("`{word}` of a time"), "", field.span)),
                }
            }
            ("mod", 2) => {
                let (left, right) = (next(), next());
                Expr { span, ..binary(BinaryOperator::Remainder, left, right) }
            }
            ("log", 1) => call("log10", arguments, span),
            ("log", 2) => {
                let (base, value) = (next(), next());
                call("log", vec![value, base], span)
            }
            ("split_part", 3) => {
                let (text, separator, place) = (next(), next(), next());
                let place = Expr { span, ..binary(BinaryOperator::Subtract, place, int(1, span)) };
                let pieces = Box::new(call("split", vec![text, separator], span));
                let piece = Expr { kind: ExprKind::Index { base: pieces, index: Box::new(place) }, span };
                call("coalesce", vec![piece, text_of("", span)], span)
            }
            // Nulls are left out there, and every value is written as text.
            ("concat", _) if count > 0 => {
                let parts = arguments.into_iter().map(crate::syntax::tree::TextPart::Value).collect();
                Expr { kind: ExprKind::FString(parts), span }
            }
            ("make_array" | "list_value", _) => Expr { kind: ExprKind::List(arguments), span },
            ("nvl" | "ifnull", 2) => call("coalesce", arguments, span),
            _ => self.renamed(name, arguments, span, name_span),
        })
    }

    fn renamed(&self, name: &str, positional: Vec<Expr>, span: Span, name_span: Span) -> Expr {
        let written = self.resolver.text.get(name_span.start..name_span.end).unwrap_or(name);
        let known =
            |name: &str| functions::function(name).is_some() || self.resolver.catalog.functions.contains_key(name);
        let ours = match functions::foreign(name).and_then(|foreign| foreign.ours) {
            _ if known(written) => written,
            _ if known(name) => name,
            Some(ours) => ours,
            None => name,
        };
        let function = Path { parts: vec![Name { text: ours.to_string(), span: name_span }], span: name_span };
        let arguments = Arguments { positional, named: Vec::new(), span };
        let call = Call { function, arguments, by: Vec::new(), sort: Vec::new(), filter: None, over: None };
        Expr { kind: ExprKind::Call(Box::new(call)), span }
    }

    /// The arguments, the clauses behind them, and whether `distinct` stands before them.
    #[allow(clippy::type_complexity)]
    fn arguments<'f>(
        &self,
        function: &'f Function,
        block: &Block<'_>,
    ) -> Resolved<(Vec<Expr>, Vec<&'f FunctionArgumentClause>, bool)> {
        let list = match &function.args {
            FunctionArguments::None => return Ok((Vec::new(), Vec::new(), false)),
            FunctionArguments::Subquery(query) => {
                return Err(self.unsupported("a query as the argument of a call", "", self.span(&**query)));
            }
            FunctionArguments::List(list) => list,
        };
        let mut arguments = Vec::with_capacity(list.args.len());
        for argument in &list.args {
            match argument {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => arguments.push(self.tree(expr, block)?),
                FunctionArg::Unnamed(FunctionArgExpr::Wildcard | FunctionArgExpr::QualifiedWildcard(_))
                    if name_of(function) == "count" => {}
                other => {
                    return Err(self.unsupported(&format!("the argument `{other}`"), "", self.span(function)));
                }
            }
        }
        let distinct = list.duplicate_treatment == Some(DuplicateTreatment::Distinct);
        Ok((arguments, list.clauses.iter().collect(), distinct))
    }

    /// A call of an aggregate or a window function, under our name.
    pub(super) fn aggregate_call(
        &self,
        name: &str,
        function: &Function,
        span: Span,
        block: &Block<'_>,
    ) -> Resolved<Call> {
        let (mut positional, clauses, distinct) = self.arguments(function, block)?;
        let mut name = name;
        if distinct {
            name = match name {
                "count" => "count_distinct",
                "list" => "set",
                "min" | "max" | "any" | "all" | "count_distinct" => name,
                other => {
                    let help = "take the different values first: `from (select distinct … from …)`";
                    return Err(self.unsupported(&format!("`{other}(distinct …)`"), help, span));
                }
            };
        }
        let mut order: Vec<OrderByExpr> = function.within_group.clone();
        let mut nulls = function.null_treatment;
        for clause in clauses {
            match clause {
                FunctionArgumentClause::OrderBy(keys) => order.extend(keys.iter().cloned()),
                FunctionArgumentClause::IgnoreOrRespectNulls(treatment) => nulls = Some(*treatment),
                FunctionArgumentClause::Separator(ValueWithSpan { value: Value::SingleQuotedString(text), .. }) => {
                    positional.push(text_of(text, span))
                }
                other => return Err(self.unsupported(&format!("`{other}` in a call"), "", span)),
            }
        }
        if nulls == Some(NullTreatment::IgnoreNulls) && function.over.is_some() {
            let help = "leave the rows without a value out before";
            return Err(self.unsupported("`ignore nulls` of a window function", help, span));
        }
        if name == "join" && positional.len() == 1 {
            positional.push(text_of(",", span));
        }
        let mut keys = self.sort_keys(&order, block)?;
        // `percentile_cont(0.5) within group (order by x)` is of x.
        if matches!(name, "quantile" | "median") && !keys.is_empty() {
            let key = keys.remove(0);
            positional.insert(0, key.expr);
            if key.descending {
                return Err(self.unsupported("a percentile from above", "take `1 - p`", key.span));
            }
        }
        let takes_by = functions::order_word(name) == functions::OrderWord::By;
        // The order of values does not change a sum.
        let takes_sort = functions::order_word(name) == functions::OrderWord::Sort;
        let (by, sort) = match (takes_by, takes_sort) {
            (true, _) => (keys, Vec::new()),
            (_, true) => (Vec::new(), keys),
            _ => (Vec::new(), Vec::new()),
        };
        let filter = function.filter.as_deref().map(|filter| self.tree(filter, block)).transpose()?;
        let mut called = Call {
            function: Path {
                parts: vec![Name { text: name.to_string(), span: self.span(&function.name) }],
                span: self.span(&function.name),
            },
            arguments: Arguments { positional, named: Vec::new(), span },
            by,
            sort,
            filter,
            over: None,
        };
        if let Some(over) = &function.over {
            self.over(&mut called, over, span, block)?;
        }
        Ok(called)
    }

    /// Sort keys. Nulls are larger than every value; where they are wanted elsewhere, a key before says which rows have
    /// none.
    pub(super) fn sort_keys(&self, order: &[OrderByExpr], block: &Block<'_>) -> Resolved<Vec<SortKey>> {
        let mut keys = Vec::with_capacity(order.len());
        for key in order {
            let expr = self.tree(&key.expr, block)?;
            let (descending, span) = (key.options.asc == Some(false), expr.span);
            if let Some(first) = key.options.nulls_first.filter(|first| *first != descending) {
                let is_null = ExprKind::IsNull { value: Box::new(expr.clone()), negated: false };
                keys.push(SortKey { expr: Expr { kind: is_null, span }, descending: first, span });
            }
            keys.push(SortKey { expr, descending, span });
        }
        Ok(keys)
    }

    fn sql_span(&self, function: &Function) -> datafusion_sql::sqlparser::tokenizer::Span {
        use datafusion_sql::sqlparser::ast::Spanned;
        function.name.span().union(&function.args.span())
    }
}

fn text_of(text: &str, span: Span) -> Expr {
    Expr { kind: ExprKind::Literal(Literal::Text(text.to_string())), span }
}

/// True for a call of an aggregate that is no window function.
pub(super) fn is_aggregate(expr: &SqlExpr) -> bool {
    match expr {
        SqlExpr::Function(function) => function.over.is_none() && aggregate_name(&name_of(function)).is_some(),
        _ => false,
    }
}
