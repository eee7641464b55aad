//! Expressions of SQL as Tide's own, and their values.

use datafusion_sql::sqlparser::ast::{
    AccessExpr, BinaryOperator as SqlOperator, CastKind, CeilFloorKind, DateTimeField, Expr as SqlExpr, Ident,
    Subscript, TrimWhereField, UnaryOperator as SqlUnary,
};
use tidebook_plan::Span;

use super::Sql;
use super::block::{Block, Own, given_path, outer_path, own};
use super::literal::{folded, moved};
use crate::diagnostics::names;
use crate::functions::Typed;
use crate::resolve::fault::Resolved;
use crate::resolve::scope::quoted;
use crate::resolve::window::{WindowPlace, Windows};
use crate::resolve::{Reach, Scope};
use crate::syntax::tree::{
    Arguments, BinaryOperator, Call, CaseArm, Expr, ExprKind, Literal, Name, Path, UnaryOperator,
};

impl Sql<'_, '_> {
    /// The value of an expression over the rows of `block`.
    pub(super) fn value(&self, expr: &SqlExpr, block: &Block<'_>) -> Resolved<Typed> {
        self.value_with(expr, block, None)
    }

    /// As [`Sql::value`]; window functions are gathered in `windows`, where they may stand.
    pub(super) fn value_with(&self, expr: &SqlExpr, block: &Block<'_>, windows: Option<&Windows>) -> Resolved<Typed> {
        let tree = self.tree(expr, block)?;
        let scope = block.scope();
        let windows = windows.map_or(WindowPlace::Nowhere, WindowPlace::Step);
        self.resolver.expression(&tree, Reach { windows, ..Reach::columns(&scope) })
    }

    /// A condition over the rows of `block`.
    pub(super) fn condition(&self, expr: &SqlExpr, block: &Block<'_>) -> Resolved<Typed> {
        let typed = self.value(expr, block)?;
        self.resolver.as_bool(typed, self.span(expr))
    }

    /// The expression in Tide's words. Subqueries in it become columns of the block.
    pub(super) fn tree(&self, expr: &SqlExpr, block: &Block<'_>) -> Resolved<Expr> {
        let span = self.span(expr);
        if let Some((_, id)) = block.known.iter().find(|(known, _)| known == expr) {
            return Ok(given_path(id, span));
        }
        let one = |e: &SqlExpr| self.tree(e, block);
        let boxed = |e: &SqlExpr| self.tree(e, block).map(Box::new);
        let kind = match expr {
            SqlExpr::Identifier(ident) => return self.named(std::slice::from_ref(ident), block),
            SqlExpr::CompoundIdentifier(path) => return self.named(path, block),
            SqlExpr::Nested(inner) => return one(inner),
            SqlExpr::Value(value) => ExprKind::Literal(self.literal(value)?),
            SqlExpr::TypedString(typed) => ExprKind::Literal(self.typed_text(typed, span)?),
            SqlExpr::Interval(interval) => ExprKind::Literal(self.duration(interval, span)?),
            SqlExpr::BinaryOp { left, op, right } => return self.operation(left, op, right, span, block),
            SqlExpr::UnaryOp { op, expr: operand } => match op {
                SqlUnary::Plus => return one(operand),
                SqlUnary::Minus => match one(operand)? {
                    Expr { kind: ExprKind::Literal(Literal::Int(value)), .. } if value != i64::MIN => {
                        ExprKind::Literal(Literal::Int(-value))
                    }
                    Expr { kind: ExprKind::Literal(Literal::Float(value)), .. } => {
                        ExprKind::Literal(Literal::Float(0.0 - value))
                    }
                    operand => ExprKind::Unary { operator: UnaryOperator::Negate, operand: Box::new(operand) },
                },
                SqlUnary::Not => ExprKind::Unary { operator: UnaryOperator::Not, operand: boxed(operand)? },
                other => return Err(self.unsupported(&format!("the operator `{other}`"), "", span)),
            },
            SqlExpr::IsNull(value) => ExprKind::IsNull { value: boxed(value)?, negated: false },
            SqlExpr::IsNotNull(value) => ExprKind::IsNull { value: boxed(value)?, negated: true },
            SqlExpr::IsUnknown(value) => ExprKind::IsNull { value: boxed(value)?, negated: false },
            SqlExpr::IsNotUnknown(value) => ExprKind::IsNull { value: boxed(value)?, negated: true },
            SqlExpr::IsTrue(value) => return Ok(known_truth(one(value)?, true, false)),
            SqlExpr::IsNotTrue(value) => return Ok(known_truth(one(value)?, true, true)),
            SqlExpr::IsFalse(value) => return Ok(known_truth(one(value)?, false, false)),
            SqlExpr::IsNotFalse(value) => return Ok(known_truth(one(value)?, false, true)),
            SqlExpr::IsDistinctFrom(left, right) => return Ok(negated(same(one(left)?, one(right)?, span))),
            SqlExpr::IsNotDistinctFrom(left, right) => return Ok(same(one(left)?, one(right)?, span)),
            SqlExpr::Between { expr: value, negated, low, high } => {
                let (value, low, high) = (boxed(value)?, boxed(low)?, boxed(high)?);
                ExprKind::Between { value, low, high, negated: *negated }
            }
            SqlExpr::InList { expr: value, list, negated } => {
                let items = list.iter().map(one).collect::<Resolved<Vec<Expr>>>()?;
                let options = Box::new(Expr { kind: ExprKind::List(items), span });
                ExprKind::In { value: boxed(value)?, options, negated: *negated }
            }
            SqlExpr::Like { negated, any: false, expr: value, pattern, escape_char: None } => {
                ExprKind::Like { value: boxed(value)?, pattern: boxed(pattern)?, negated: *negated }
            }
            SqlExpr::ILike { negated, any: false, expr: value, pattern, escape_char: None } => {
                let lower = |e: &SqlExpr| one(e).map(|text| Box::new(call("lower", vec![text], span)));
                ExprKind::Like { value: lower(value)?, pattern: lower(pattern)?, negated: *negated }
            }
            SqlExpr::SimilarTo { .. } | SqlExpr::RLike { .. } => {
                let help = "`matches(x, pattern)` takes a regular expression";
                return Err(self.unsupported("this operator", help, span));
            }
            SqlExpr::Like { .. } | SqlExpr::ILike { .. } => {
                let help = "a backslash before `%` or `_` takes its meaning away";
                return Err(self.unsupported("`like` with `any` or `escape`", help, span));
            }
            SqlExpr::Case { operand, conditions, else_result, .. } => {
                let operand = operand.as_deref().map(one).transpose()?;
                let arms = conditions.iter().map(|when| {
                    let condition = one(&when.condition)?;
                    let condition = match &operand {
                        Some(operand) => binary(BinaryOperator::Equal, operand.clone(), condition),
                        None => condition,
                    };
                    Ok(CaseArm { condition, value: one(&when.result)? })
                });
                let arms = arms.collect::<Resolved<Vec<CaseArm>>>()?;
                ExprKind::Case { arms, otherwise: else_result.as_deref().map(boxed).transpose()? }
            }
            SqlExpr::Cast { kind, expr: value, data_type, array: false, format: None } => {
                let value = one(value)?;
                let ty = self.data_type(data_type, span)?;
                let ty = Expr { kind: ExprKind::Type(ty), span };
                let constant = matches!(value.kind, ExprKind::Literal(_));
                let cast = call("cast", vec![value, ty], span);
                return Ok(match kind {
                    CastKind::TryCast | CastKind::SafeCast => call("try", vec![cast], span),
                    CastKind::Cast | CastKind::DoubleColon if constant => folded(self.resolver, cast),
                    CastKind::Cast | CastKind::DoubleColon => cast,
                });
            }
            SqlExpr::Extract { field, expr: value, .. } => return self.part(field, one(value)?, span),
            SqlExpr::Ceil { expr: value, field } => return self.rounded("ceil", field, one(value)?, span),
            SqlExpr::Floor { expr: value, field } => return self.rounded("floor", field, one(value)?, span),
            SqlExpr::Position { expr: part, r#in } => {
                return Ok(position(one(r#in)?, one(part)?, span));
            }
            SqlExpr::Substring { expr: text, substring_from, substring_for, .. } => {
                let start = substring_from.as_deref().map(one).transpose()?;
                let count = substring_for.as_deref().map(one).transpose()?;
                return Ok(substring(one(text)?, start, count, span));
            }
            SqlExpr::Trim { expr: text, trim_where, trim_what, trim_characters } => {
                let name = match trim_where {
                    Some(TrimWhereField::Leading) => "trim_start",
                    Some(TrimWhereField::Trailing) => "trim_end",
                    Some(TrimWhereField::Both) | None => "trim",
                };
                let mut arguments = vec![one(text)?];
                if let Some(what) = trim_what.as_deref().or(trim_characters.as_ref().and_then(|all| all.first())) {
                    arguments.push(one(what)?);
                }
                return Ok(call(name, arguments, span));
            }
            SqlExpr::AtTimeZone { timestamp, time_zone } => {
                return Ok(call("to_zone", vec![one(timestamp)?, one(time_zone)?], span));
            }
            SqlExpr::CompoundFieldAccess { root, access_chain } => {
                let mut value = one(root)?;
                for access in access_chain {
                    value = self.accessed(value, access, span, block)?;
                }
                return Ok(value);
            }
            SqlExpr::Array(array) => ExprKind::List(array.elem.iter().map(one).collect::<Resolved<Vec<Expr>>>()?),
            SqlExpr::Function(function) => return self.function(function, block),
            SqlExpr::Exists { subquery, negated } => return self.exists(subquery, *negated, span, block),
            SqlExpr::InSubquery { expr: value, subquery, negated } => {
                return self.contained(value, subquery, *negated, span, block);
            }
            SqlExpr::Subquery(query) => return self.scalar(query, span, block),
            SqlExpr::AnyOp { .. } | SqlExpr::AllOp { .. } => {
                let help = "compare with `(select min(…) …)` or `(select max(…) …)`, or write `in` and `not in`";
                return Err(self.unsupported("a comparison with `any` or `all`", help, span));
            }
            SqlExpr::GroupingSets(_) | SqlExpr::Cube(_) | SqlExpr::Rollup(_) => {
                let help = "unite one `select … group by …` for each of the groupings with `union all`";
                return Err(self.unsupported("grouping by several sets of keys", help, span));
            }
            SqlExpr::Tuple(_) => {
                return Err(self.unsupported("a row of values", "compare one value at a time", span));
            }
            other => {
                let shown = other.to_string();
                let shown: String = shown.chars().take(40).collect();
                return Err(self.unsupported(&format!("`{shown}`"), "", span));
            }
        };
        Ok(Expr { kind, span })
    }

    /// A column, of this query or of one around it.
    fn named(&self, path: &[Ident], block: &Block<'_>) -> Resolved<Expr> {
        let parts: Vec<Name> =
            path.iter().map(|part| Name { text: part.value.clone(), span: self.places.span(part.span) }).collect();
        let (Some(first), Some(last)) = (parts.first(), parts.last()) else { unreachable!("a path has a name") };
        let span = first.span.to(last.span);
        let scope = block.scope();
        if let (Own::Nothing, Some(domain)) = (own(&scope, path), block.domain)
            && let Some(id) = domain.find(path)
        {
            return Ok(outer_path(&id, span));
        }
        if let (Own::Nothing, [table, column]) = (own(&scope, path), parts.as_slice()) {
            let around = std::iter::successors(block.domain, |domain| domain.outer.domain);
            let scopes: Vec<Scope> = around.map(|domain| domain.outer.scope()).collect();
            if let Some(scope) = scopes.iter().find(|scope| scope.is_qualifier(&table.text)) {
                scope.find_value(&table.text, &column.text, span, column.span)?;
            }
        }
        if let Some(all) = &block.ungrouped {
            self.refuse_ungrouped(path, &scope, all, span)?;
        }
        let mut parts = parts.into_iter();
        let Some(first) = parts.next() else { unreachable!("a path has a name") };
        let start = Expr { span: first.span, kind: ExprKind::Name(first) };
        Ok(parts.fold(start, |base, field| {
            let span = base.span.to(field.span);
            Expr { kind: ExprKind::Field { base: Box::new(base), field }, span }
        }))
    }

    /// A column that a grouping has taken away.
    fn refuse_ungrouped(&self, path: &[Ident], grouped: &Scope, all: &Scope, span: Span) -> Resolved<()> {
        if !matches!(own(grouped, path), Own::Nothing | Own::Part) || matches!(own(all, path), Own::Nothing) {
            return Ok(());
        }
        if matches!((own(grouped, path), own(all, path)), (Own::Part, Own::Part)) {
            return Ok(());
        }
        let name = path.iter().map(|part| quoted(&part.value)).collect::<Vec<_>>().join(".");
        Err(names::UNGROUPED_COLUMN
            .error(format!("`{name}` is neither a key nor inside of an aggregate"), span)
            .with_help(format!("add it to `group by`, or say which value is meant: `max({name})`"))
            .into())
    }

    fn operation(
        &self,
        left: &SqlExpr,
        op: &SqlOperator,
        right: &SqlExpr,
        span: Span,
        block: &Block<'_>,
    ) -> Resolved<Expr> {
        let operator = match op {
            SqlOperator::Plus => BinaryOperator::Add,
            SqlOperator::Minus => BinaryOperator::Subtract,
            SqlOperator::Multiply => BinaryOperator::Multiply,
            SqlOperator::Divide => BinaryOperator::Divide,
            SqlOperator::Modulo => BinaryOperator::Remainder,
            SqlOperator::Gt => BinaryOperator::Greater,
            SqlOperator::Lt => BinaryOperator::Less,
            SqlOperator::GtEq => BinaryOperator::GreaterOrEqual,
            SqlOperator::LtEq => BinaryOperator::LessOrEqual,
            SqlOperator::Eq => BinaryOperator::Equal,
            SqlOperator::NotEq => BinaryOperator::NotEqual,
            SqlOperator::And => BinaryOperator::And,
            SqlOperator::Or => BinaryOperator::Or,
            SqlOperator::StringConcat => {
                let text = |e: &SqlExpr| -> Resolved<Expr> {
                    let typed = self.tree(e, block)?;
                    let span = typed.span;
                    let is_text = matches!(typed.kind, ExprKind::Literal(Literal::Text(_)));
                    Ok(if is_text { typed } else { call("text", vec![typed], span) })
                };
                return Ok(binary(BinaryOperator::Add, text(left)?, text(right)?));
            }
            SqlOperator::Arrow | SqlOperator::LongArrow => {
                let (base, index) = (self.tree(left, block)?, self.tree(right, block)?);
                let kind = ExprKind::Index { base: Box::new(base), index: Box::new(index) };
                let element = Expr { kind, span };
                return Ok(match op {
                    SqlOperator::LongArrow => call("text", vec![element], span),
                    _ => element,
                });
            }
            SqlOperator::PGRegexMatch => {
                return Ok(call("matches", vec![self.tree(left, block)?, self.tree(right, block)?], span));
            }
            other => return Err(self.unsupported(&format!("the operator `{other}`"), "", span)),
        };
        let forward = match operator {
            BinaryOperator::Add => Some(1),
            BinaryOperator::Subtract => Some(-1),
            _ => None,
        };
        // `at + interval '1' month`, `interval '1' month + at`
        if let Some(sign) = forward {
            if let SqlExpr::Interval(interval) = right {
                let length = self.interval(interval, self.span(right))?;
                return Ok(moved(self.resolver, self.tree(left, block)?, length, sign, span));
            }
            if let (SqlExpr::Interval(interval), 1) = (left, sign) {
                let length = self.interval(interval, self.span(left))?;
                return Ok(moved(self.resolver, self.tree(right, block)?, length, 1, span));
            }
        }
        let (left, right) = (self.tree(left, block)?, self.tree(right, block)?);
        let constant = matches!((&left.kind, &right.kind), (ExprKind::Literal(_), ExprKind::Literal(_)));
        let operation = Expr { span, ..binary(operator, left, right) };
        Ok(if constant && forward.is_some() || constant && operator == BinaryOperator::Multiply {
            folded(self.resolver, operation)
        } else {
            operation
        })
    }

    /// `extract(field from value)`
    pub(super) fn part(&self, field: &DateTimeField, value: Expr, span: Span) -> Resolved<Expr> {
        let name = match field {
            DateTimeField::Year | DateTimeField::Years => "year",
            DateTimeField::Quarter => "quarter",
            DateTimeField::Month | DateTimeField::Months => "month",
            DateTimeField::Week(_) | DateTimeField::Weeks | DateTimeField::IsoWeek => "iso_week",
            DateTimeField::Isoyear => "iso_year",
            DateTimeField::Day | DateTimeField::Days => "day",
            DateTimeField::Doy | DateTimeField::DayOfYear => "day_of_year",
            DateTimeField::Isodow => "weekday",
            DateTimeField::Dow | DateTimeField::DayOfWeek => {
                // Sunday is 0 there.
                let weekday = call("weekday", vec![value], span);
                return Ok(binary(BinaryOperator::Remainder, weekday, int(7, span)));
            }
            DateTimeField::Hour | DateTimeField::Hours => "hour",
            DateTimeField::Minute | DateTimeField::Minutes => "minute",
            DateTimeField::Second | DateTimeField::Seconds => "second",
            DateTimeField::Epoch => "unix_seconds",
            other => {
                let help = "the parts are year, quarter, month, week, day, dow, doy, hour, minute, second and epoch";
                return Err(self.unsupported(&format!("`{other}` of a time"), help, span));
            }
        };
        Ok(call(name, vec![value], span))
    }

    fn rounded(&self, name: &str, field: &CeilFloorKind, value: Expr, span: Span) -> Resolved<Expr> {
        match field {
            CeilFloorKind::DateTimeField(DateTimeField::NoDateTime) => Ok(call(name, vec![value], span)),
            _ => Err(self.unsupported(&format!("`{name}` to a unit"), "use `date_trunc`, or divide before", span)),
        }
    }

    fn accessed(&self, base: Expr, access: &AccessExpr, span: Span, block: &Block<'_>) -> Resolved<Expr> {
        match access {
            AccessExpr::Dot(SqlExpr::Identifier(ident)) => {
                let field = Name { text: ident.value.clone(), span: self.places.span(ident.span) };
                Ok(Expr { kind: ExprKind::Field { base: Box::new(base), field }, span })
            }
            AccessExpr::Subscript(Subscript::Index { index }) => {
                // Lists begin at 1 there.
                let index = match self.tree(index, block)? {
                    Expr { kind: ExprKind::Literal(Literal::Int(place)), span } => int(place.saturating_sub(1), span),
                    name @ Expr { kind: ExprKind::Literal(_), .. } => name,
                    place => binary(BinaryOperator::Subtract, place, int(1, span)),
                };
                Ok(Expr { kind: ExprKind::Index { base: Box::new(base), index: Box::new(index) }, span })
            }
            _ => Err(self.unsupported("this access to a part", "", span)),
        }
    }
}

/// A call of one of our functions.
pub(super) fn call(name: &str, positional: Vec<Expr>, span: Span) -> Expr {
    let function = Path { parts: vec![Name { text: name.to_string(), span }], span };
    let arguments = Arguments { positional, named: Vec::new(), span };
    let call = Call { function, arguments, by: Vec::new(), sort: Vec::new(), filter: None, over: None };
    Expr { kind: ExprKind::Call(Box::new(call)), span }
}

/// An operation.
pub(super) fn binary(operator: BinaryOperator, left: Expr, right: Expr) -> Expr {
    let span = left.span.to(right.span);
    let kind = ExprKind::Binary { operator, operator_span: span, left: Box::new(left), right: Box::new(right) };
    Expr { kind, span }
}

/// A whole number.
pub(super) fn int(value: i64, span: Span) -> Expr {
    Expr { kind: ExprKind::Literal(Literal::Int(value)), span }
}

/// `not e`
pub(super) fn negated(operand: Expr) -> Expr {
    let span = operand.span;
    Expr { kind: ExprKind::Unary { operator: UnaryOperator::Not, operand: Box::new(operand) }, span }
}

/// True or false where `condition` is null too.
fn known_truth(condition: Expr, truth: bool, negate: bool) -> Expr {
    let span = condition.span;
    let word = |value| Expr { kind: ExprKind::Literal(Literal::Bool(value)), span };
    let holds = if truth { condition } else { negated(condition) };
    let arms = vec![CaseArm { condition: holds, value: word(!negate) }];
    Expr { kind: ExprKind::Case { arms, otherwise: Some(Box::new(word(negate))) }, span }
}

/// Equal, or both null.
fn same(left: Expr, right: Expr, span: Span) -> Expr {
    let null = |e: &Expr| Expr { kind: ExprKind::IsNull { value: Box::new(e.clone()), negated: false }, span };
    let both = binary(BinaryOperator::And, null(&left), null(&right));
    let equal = binary(BinaryOperator::Equal, left, right);
    let word = |value| Expr { kind: ExprKind::Literal(Literal::Bool(value)), span };
    let arms = vec![CaseArm { condition: both, value: word(true) }, CaseArm { condition: equal, value: word(true) }];
    Expr { kind: ExprKind::Case { arms, otherwise: Some(Box::new(word(false))) }, span }
}

/// The place of a part, from 1; 0 where there is none.
pub(super) fn position(text: Expr, part: Expr, span: Span) -> Expr {
    let found = call("position", vec![text, part], span);
    let counted = binary(BinaryOperator::Add, found, int(1, span));
    Expr { span, ..binary(BinaryOperator::Coalesce, counted, int(0, span)) }
}

/// Characters from a place that counts from 1.
pub(super) fn substring(text: Expr, start: Option<Expr>, count: Option<Expr>, span: Span) -> Expr {
    let start = match start {
        None => int(0, span),
        Some(Expr { kind: ExprKind::Literal(Literal::Int(place)), span }) if place >= 1 => int(place - 1, span),
        Some(start) => binary(BinaryOperator::Subtract, start, int(1, span)),
    };
    let mut arguments = vec![text, start];
    arguments.extend(count);
    call("substring", arguments, span)
}
