//! Joins. The engine joins on equal columns; everything else is said with that and linear steps:
//!
//! - a key that is an expression becomes a column of its side, dropped after the join;
//! - a further condition of an inner join is a filter after it. Of a left, semi or anti join it decides what matches:
//!   the left rows that match are found by the inner join, and each left row is then asked whether it is one of them;
//! - right joins are left joins with the sides exchanged, a full join adds the right rows without a match.

use arrow::datatypes::DataType;
use datafusion_common::{JoinType, NullEquality, ScalarValue};
use datafusion_expr::{Expr, Join, LogicalPlan};
use datafusion_physical_expr::expressions::Literal;
use std::sync::Arc;
use tidebook_plan::flow::{JoinKind, Operator, Stage};
use tidebook_plan::{FlowExpr, NodeId, Span};

use super::LowerError;
use super::Lowering;
use super::expression::Compiler;
use super::nodes::{infallible, label, linear, lower_plan, types};
use super::rules::column;
use super::summarize::column_expr;

/// One input of a join, its key columns computed.
struct Side {
    node: NodeId,
    /// Columns without computed keys.
    types: Vec<DataType>,
    keys: Vec<usize>,
}

/// Adds a join to the flow plan.
pub fn lower_join(builder: &mut Lowering, join: &Join, plan: &LogicalPlan) -> Result<NodeId, LowerError> {
    if join.null_aware {
        return Err(LowerError::Unsupported { node: label(plan) });
    }
    let left = side(builder, &join.left, join.on.iter().map(|(left, _)| left), plan)?;
    let right = side(builder, &join.right, join.on.iter().map(|(_, right)| right), plan)?;
    let mut pair = Pair {
        builder,
        condition: condition(join, plan)?,
        null_equals_null: join.null_equality == NullEquality::NullEqualsNull,
        left,
        right,
    };
    let result = match join.join_type {
        JoinType::Inner => pair.inner(),
        JoinType::Left => pair.left_join(),
        JoinType::LeftSemi => pair.matching(JoinKind::Semi),
        JoinType::LeftAnti => pair.matching(JoinKind::Anti),
        JoinType::Right => pair.exchanged(Pair::left_join),
        JoinType::RightSemi => pair.exchanged_left_only(JoinKind::Semi),
        JoinType::RightAnti => pair.exchanged_left_only(JoinKind::Anti),
        JoinType::Full => pair.full(),
        JoinType::LeftMark | JoinType::RightMark => return Err(LowerError::Unsupported { node: label(plan) }),
    };
    Ok(result)
}

/// Lowers an input and puts its computed keys behind its columns.
fn side<'a>(
    builder: &mut Lowering,
    input: &LogicalPlan,
    on: impl Iterator<Item = &'a Expr>,
    plan: &LogicalPlan,
) -> Result<Side, LowerError> {
    let node = lower_plan(builder, input)?.rows;
    let types = types(input);
    let compiler = Compiler::new(input.schema())?;
    let mut all: Vec<FlowExpr> = (0..types.len()).map(column_expr).collect();
    let mut all_types = types.clone();
    let mut keys = Vec::new();
    for key in on {
        let (key, ty) = compiler.compile(key)?;
        keys.push(match column(&key) {
            Some(place) => place,
            None => {
                all.push(key);
                all_types.push(ty);
                all.len() - 1
            }
        });
    }
    let stage = Stage::Project(all);
    infallible(&stage, plan)?;
    let node = linear(builder, node, stage, all_types, Span::default(), "");
    Ok(Side { node, types, keys })
}

/// The further condition, over left then right columns.
fn condition(join: &Join, plan: &LogicalPlan) -> Result<Option<FlowExpr>, LowerError> {
    let Some(filter) = &join.filter else { return Ok(None) };
    let schema = join.left.schema().join(join.right.schema())?;
    let (filter, _) = Compiler::new(&schema)?.compile(filter)?;
    if filter.fallible {
        return Err(LowerError::Unchecked { node: label(plan) });
    }
    Ok(Some(filter))
}

struct Pair<'a> {
    builder: &'a mut Lowering,
    left: Side,
    right: Side,
    condition: Option<FlowExpr>,
    null_equals_null: bool,
}

impl Pair<'_> {
    /// The engine's join of `left` with `right`, with all columns of both nodes.
    fn join(&mut self, kind: JoinKind) -> NodeId {
        let mut types = self.builder.types(self.left.node);
        if matches!(kind, JoinKind::Inner | JoinKind::Left) {
            types.extend(self.builder.types(self.right.node));
        }
        let operator = Operator::Join {
            left: self.left.node,
            right: self.right.node,
            kind,
            left_keys: self.left.keys.clone(),
            right_keys: self.right.keys.clone(),
            null_equals_null: self.null_equals_null,
        };
        self.builder.add(operator, types, Span::default(), "join")
    }

    fn project(&mut self, input: NodeId, columns: impl IntoIterator<Item = usize>) -> NodeId {
        let places: Vec<usize> = columns.into_iter().collect();
        let from = self.builder.types(input);
        let types = places.iter().map(|place| from[*place].clone()).collect();
        let stage = Stage::Project(places.into_iter().map(column_expr).collect());
        linear(self.builder, input, stage, types, Span::default(), "")
    }

    /// Drops computed keys: left columns, then right columns.
    fn tidy(&mut self, joined: NodeId) -> NodeId {
        let right_start = self.builder.types(self.left.node).len();
        let (left, right) = (self.left.types.len(), self.right.types.len());
        self.project(joined, (0..left).chain(right_start..right_start + right))
    }

    fn inner(&mut self) -> NodeId {
        let joined = self.join(JoinKind::Inner);
        let tidy = self.tidy(joined);
        match self.condition.clone() {
            Some(condition) => {
                let types = self.builder.types(tidy);
                linear(self.builder, tidy, Stage::Filter(condition), types, Span::default(), "")
            }
            None => tidy,
        }
    }

    /// Left rows with or without a match.
    fn matching(&mut self, kind: JoinKind) -> NodeId {
        let width = self.left.types.len();
        if self.condition.is_none() {
            let joined = self.join(kind);
            return self.project(joined, 0..width);
        }
        let matched = self.inner();
        let matched = self.project(matched, 0..width);
        let columns: Vec<usize> = (0..width).collect();
        let types = self.left.types.clone();
        let distinct = Operator::Reduce { input: matched, keys: columns.clone(), aggregates: vec![] };
        let distinct = self.builder.add(distinct, types.clone(), Span::default(), "join");
        let left = self.project(self.left.node, 0..width);
        let operator = Operator::Join {
            left,
            right: distinct,
            kind,
            left_keys: columns.clone(),
            right_keys: columns,
            null_equals_null: true,
        };
        self.builder.add(operator, types, Span::default(), "join")
    }

    fn left_join(&mut self) -> NodeId {
        if self.condition.is_none() {
            let joined = self.join(JoinKind::Left);
            return self.tidy(joined);
        }
        let matched = self.inner();
        let alone = self.matching(JoinKind::Anti);
        let padded = self.pad(alone);
        self.union(matched, padded)
    }

    /// Left rows with nulls for the right columns.
    fn pad(&mut self, left: NodeId) -> NodeId {
        let width = self.left.types.len();
        let nulls = self.right.types.iter().map(|ty| FlowExpr {
            physical: Arc::new(Literal::new(ScalarValue::try_from(ty).unwrap_or(ScalarValue::Null))),
            fallible: false,
        });
        let exprs = (0..width).map(column_expr).chain(nulls).collect();
        let types = self.left.types.iter().chain(&self.right.types).cloned().collect();
        linear(self.builder, left, Stage::Project(exprs), types, Span::default(), "")
    }

    fn union(&mut self, first: NodeId, second: NodeId) -> NodeId {
        let types = self.builder.types(first);
        let operator = Operator::Union { inputs: vec![(first, false), (second, false)] };
        self.builder.add(operator, types, Span::default(), "join")
    }

    /// Exchanges the sides; the condition follows.
    fn exchange(&mut self) {
        let (left, right) = (self.left.types.len(), self.right.types.len());
        std::mem::swap(&mut self.left, &mut self.right);
        let exchanged = |place: usize| if place < left { place + right } else { place - left };
        self.condition = self.condition.take().map(|condition| super::rules::renumber(&condition, exchanged));
    }

    /// `join` with the sides exchanged, its columns in the order of the plan.
    fn exchanged(&mut self, join: impl FnOnce(&mut Self) -> NodeId) -> NodeId {
        self.exchange();
        let joined = join(self);
        let (first, second) = (self.left.types.len(), self.right.types.len());
        self.exchange();
        self.project(joined, (first..first + second).chain(0..first))
    }

    fn exchanged_left_only(&mut self, kind: JoinKind) -> NodeId {
        self.exchange();
        let rows = self.matching(kind);
        self.exchange();
        rows
    }

    fn full(&mut self) -> NodeId {
        let left = self.left_join();
        let right = self.exchanged(|pair| {
            let alone = pair.matching(JoinKind::Anti);
            pair.pad(alone)
        });
        self.union(left, right)
    }
}
