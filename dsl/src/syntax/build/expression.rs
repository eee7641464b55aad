//! Operands: everything in an expression that is not an operator.

use pest::iterators::Pair;
use tidebook_plan::{Diagnostic, Span};

use super::super::grammar::Rule;
use super::super::tree::{
    Arguments, Call, CaseArm, Expr, ExprKind, Frame, Literal, NamedArgument, Over, RecordField, SortKey, TextPart,
};
use super::{Builder, Built, Parts, misplaced};
use crate::diagnostics::syntax as codes;
use crate::limits::{CHAIN, EXPRESSION_DEPTH};

/// What stands in parentheses, with the orders that only an aggregate takes.
pub(super) struct Parenthesised {
    arguments: Arguments,
    by: Vec<SortKey>,
    sort: Vec<SortKey>,
}

impl Parenthesised {
    /// The arguments, where no order is allowed: in a connector or a chart.
    pub fn plain(self) -> Built<Arguments> {
        match self.by.first().or(self.sort.first()) {
            None => Ok(self.arguments),
            Some(key) => Err(Box::new(
                codes::UNEXPECTED.error("expected `,` or `)`, found an order of rows", key.span).with_help(
                    "only an aggregate takes `by` or `sort` in its parentheses; sort the table with `| sort …`",
                ),
            )),
        }
    }
}

impl Builder<'_> {
    /// The tree of an `operand`.
    pub fn primary(&self, pair: Pair<'_, Rule>) -> Built<Expr> {
        let mut parts = Parts::of(pair);
        let mut expr = self.base(parts.must())?;
        for (count, part) in parts.enumerate() {
            let span = expr.span.to(self.span(&part));
            if count >= CHAIN {
                return Err(too_long(span));
            }
            let base = Box::new(expr);
            let kind = match part.as_rule() {
                Rule::field => ExprKind::Field { base, field: self.name(&Parts::of(part).must()) },
                Rule::index => ExprKind::Index { base, index: Box::new(self.expr(Parts::of(part).must())?) },
                _ => misplaced(&part, "the end of an operand"),
            };
            expr = Expr { kind, span };
        }
        Ok(expr)
    }

    fn base(&self, pair: Pair<'_, Rule>) -> Built<Expr> {
        let span = self.span(&pair);
        let kind = match pair.as_rule() {
            Rule::ident => ExprKind::Name(self.name(&pair)),
            Rule::number => ExprKind::Literal(self.number(&pair, false)?),
            Rule::duration => ExprKind::Literal(self.duration(&pair, false)?),
            Rule::instant => ExprKind::Literal(self.instant(&pair)?),
            Rule::text => ExprKind::Literal(Literal::Text(self.text(&pair)?)),
            Rule::constant => ExprKind::Literal(match pair.as_str() {
                "true" => Literal::Bool(true),
                "false" => Literal::Bool(false),
                _ => Literal::Null,
            }),
            Rule::fstring => self.fstring(pair)?,
            Rule::list => ExprKind::List(self.expr_list(pair)?),
            Rule::record => ExprKind::Record(self.record(pair)?),
            Rule::case => self.case(pair)?,
            Rule::call => self.call(pair)?,
            Rule::parens => return self.parens(pair, span),
            _ => misplaced(&pair, "an operand"),
        };
        Ok(Expr { kind, span })
    }

    /// One expression in parentheses. (Several are a list, but only after `in`: see `operators`.)
    fn parens(&self, pair: Pair<'_, Rule>, span: Span) -> Built<Expr> {
        let mut items = self.expr_list(pair)?;
        match items.pop() {
            Some(only) if items.is_empty() => Ok(Expr { span, ..only }),
            _ => Err(Box::new(
                codes::LIST_IN_PARENTHESES
                    .error("expected one expression in the parentheses, found several", span)
                    .with_help("a list stands in brackets: `[1, 2]`"),
            )),
        }
    }

    /// What stands after `in`: `(1, 2)` is a list there, and `(1)`.
    pub fn options(&self, pair: Pair<'_, Rule>) -> Built<Expr> {
        let span = self.span(&pair);
        let mut parts = Parts::of(pair.clone());
        match (parts.next(), parts.next()) {
            (Some(only), None) if only.as_rule() == Rule::parens && Parts::of(only.clone()).count() > 0 => {
                Ok(Expr { kind: ExprKind::List(self.expr_list(only)?), span })
            }
            _ => self.primary(pair),
        }
    }

    fn fstring(&self, pair: Pair<'_, Rule>) -> Built<ExprKind> {
        let mut pieces = Vec::new();
        for piece in Parts::of(pair) {
            pieces.push(match piece.as_rule() {
                Rule::hole => TextPart::Value(self.expr(Parts::of(piece).must())?),
                _ => {
                    let start = piece.as_span().start() + self.offset;
                    TextPart::Text(self.unescape(piece.as_str(), start, true)?)
                }
            });
        }
        Ok(ExprKind::FString(pieces))
    }

    fn record(&self, pair: Pair<'_, Rule>) -> Built<Vec<RecordField>> {
        let span = self.span(&pair);
        let mut fields = Vec::new();
        for field in Parts::of(pair) {
            let mut field = Parts::of(field);
            let name = self.name(&field.must());
            fields.push(RecordField { name, value: self.expr(field.must())? });
        }
        self.bounded(fields, "fields of a record", span)
    }

    fn case(&self, pair: Pair<'_, Rule>) -> Built<ExprKind> {
        let span = self.span(&pair);
        let mut parts = Parts::of(pair);
        parts.pass(Rule::kw_case);
        let mut arms = Vec::new();
        for arm in parts.every(Rule::case_arm) {
            let mut arm = Parts::of(arm);
            let condition = self.expr(arm.must())?;
            arms.push(CaseArm { condition, value: self.expr(arm.must())? });
        }
        let otherwise = match parts.maybe(Rule::case_else) {
            Some(pair) => {
                let mut inner = Parts::of(pair);
                inner.pass(Rule::kw_else);
                Some(Box::new(self.expr(inner.must())?))
            }
            None => None,
        };
        if arms.is_empty() {
            let fault = codes::UNEXPECTED.error("expected `condition => value` in `case`, found none", span);
            return Err(Box::new(fault.with_help("write `case { qty > 10 => \"many\", else => \"few\" }`")));
        }
        Ok(ExprKind::Case { arms, otherwise })
    }

    fn call(&self, pair: Pair<'_, Rule>) -> Built<ExprKind> {
        let mut parts = Parts::of(pair);
        let function = self.path(&Parts::of(parts.must()).must());
        let Parenthesised { arguments, by, sort } = self.arguments(parts.must())?;
        let mut call = Call { function, arguments, by, sort, filter: None, over: None };
        for part in parts {
            let span = self.span(&part);
            match part.as_rule() {
                Rule::filter => {
                    let mut inner = Parts::of(part);
                    inner.pass(Rule::kw_filter);
                    inner.maybe(Rule::kw_where);
                    call.filter = Some(self.expr(inner.must())?);
                }
                Rule::over => call.over = Some(self.over(part, span)?),
                _ => misplaced(&part, "the end of a call"),
            }
        }
        Ok(ExprKind::Call(Box::new(call)))
    }

    fn over(&self, pair: Pair<'_, Rule>, span: Span) -> Built<Over> {
        let mut parts = Parts::of(pair);
        parts.pass(Rule::kw_over);
        let by = match parts.maybe(Rule::kw_by) {
            Some(_) => self.expr_list(parts.must())?,
            None => Vec::new(),
        };
        let sort = match parts.maybe(Rule::sorted_by) {
            Some(pair) => self.sorted_by(pair)?,
            None => Vec::new(),
        };
        let frame = match parts.maybe(Rule::frame) {
            Some(pair) => {
                let span = self.span(&pair);
                let mut inner = Parts::of(pair);
                inner.pass(Rule::kw_last);
                let extent = self.expr(inner.must())?;
                Some(Frame { extent, rows: inner.maybe(Rule::kw_rows).is_some(), span })
            }
            None => None,
        };
        Ok(Over { by, sort, frame, span })
    }

    fn sorted_by(&self, pair: Pair<'_, Rule>) -> Built<Vec<SortKey>> {
        let mut parts = Parts::of(pair);
        parts.pass(Rule::kw_sort);
        parts.maybe(Rule::kw_by);
        self.sort_keys(parts.must())
    }

    /// The tree of `arguments`.
    pub(super) fn arguments(&self, pair: Pair<'_, Rule>) -> Built<Parenthesised> {
        let mut arguments = Arguments { span: self.span(&pair), ..Arguments::default() };
        let (mut by, mut sort) = (Vec::new(), Vec::new());
        for part in Parts::of(pair) {
            match part.as_rule() {
                Rule::named_argument => arguments.named.push(self.named_argument(part)?),
                Rule::value => {
                    let value = self.value(part)?;
                    if let Some(named) = arguments.named.last() {
                        let message = "an argument by position follows one by name";
                        let fault = codes::ARGUMENT_ORDER.error(message, value.span);
                        return Err(Box::new(
                            fault
                                .with_label(named.name.span.to(named.value.span), "the argument by name")
                                .with_help("give this argument a name, or put it before those that have one"),
                        ));
                    }
                    arguments.positional.push(value);
                }
                Rule::by_keys => {
                    let mut inner = Parts::of(part);
                    inner.pass(Rule::kw_by);
                    by = self.sort_keys(inner.must())?;
                }
                Rule::sorted_by => sort = self.sorted_by(part)?,
                _ => misplaced(&part, "an argument"),
            }
        }
        Ok(Parenthesised { arguments, by, sort })
    }

    /// The tree of a `named_argument`.
    pub fn named_argument(&self, pair: Pair<'_, Rule>) -> Built<NamedArgument> {
        let mut parts = Parts::of(pair);
        let name = self.name(&parts.must());
        Ok(NamedArgument { name, value: self.value(parts.must())? })
    }

    fn value(&self, pair: Pair<'_, Rule>) -> Built<Expr> {
        let span = self.span(&pair);
        let inner = Parts::of(pair).must();
        match inner.as_rule() {
            Rule::expr => self.expr(inner),
            _ => Ok(Expr { kind: ExprKind::Type(self.type_expr(inner)?), span }),
        }
    }
}

/// An expression that no stage could walk.
pub(super) fn too_deep(span: Span) -> Box<Diagnostic> {
    let message = format!("more than {EXPRESSION_DEPTH} operators and brackets stand around a part of the expression");
    let fault = codes::TOO_DEEP.error(message, span);
    Box::new(fault.with_help("compute a part of it in a `derive` before"))
}

/// A chain of operators that no stage could walk.
pub(super) fn too_long(span: Span) -> Box<Diagnostic> {
    Box::new(
        codes::TOO_DEEP
            .error(format!("the expression has more than {CHAIN} operators in a row"), span)
            .with_help("compute a part of it in a `derive` before, or use a list"),
    )
}
