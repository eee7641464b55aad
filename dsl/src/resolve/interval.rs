//! Interval joins: a condition that bounds how far two times lie apart becomes equality of buckets of time and an exact filter,
//! so that a row meets only the rows around it.

use datafusion_common::ScalarValue;
use datafusion_expr::LogicalPlan;
use tidebook_plan::{ColumnType, Type};

use crate::functions::{self, Ends, Typed};
use crate::logical::Origin;
use crate::resolve::fault::Resolved;
use crate::resolve::join::{reads_only, same_type};
use crate::resolve::relation::Relation;
use crate::resolve::scope::Scope;
use crate::resolve::{Reach, Resolver, build};
use crate::syntax::tree::{BinaryOperator, Expr, ExprKind};

/// Two times, and what the right one less the left one may be.
#[derive(Clone)]
pub(super) struct Interval {
    pub left: Typed,
    pub right: Typed,
    pub ends: Ends,
}

impl Interval {
    /// The same, seen from the other side.
    pub fn opposite(self) -> Self {
        Interval { left: self.right, right: self.left, ends: self.ends.opposite() }
    }
}

/// A time of each side with bounds of the right one less the left one.
struct Bound {
    left: Typed,
    right: Typed,
    low: Option<i64>,
    high: Option<i64>,
}

/// A time and how much later than it is meant.
struct Shifted {
    time: Typed,
    by: i64,
}

impl Resolver<'_> {
    /// The interval among the parts of a condition, all of which are known to be conditions, and the parts that are left.
    pub(super) fn interval<'e>(
        &self,
        left: &Scope,
        right: &Scope,
        parts: Vec<&'e Expr>,
    ) -> Resolved<(Option<Interval>, Vec<&'e Expr>)> {
        let mut columns = left.columns.clone();
        columns.extend(right.columns.iter().cloned());
        let both = Scope { columns, head: left.head.clone() };
        let mut bounds: Vec<(usize, Bound)> = Vec::new();
        for (place, part) in parts.iter().enumerate() {
            if let Some(bound) = self.bound(left, right, &both, part)? {
                bounds.push((place, bound));
            }
        }
        for (first, bound) in &bounds {
            let same = bounds.iter().filter(|(_, b)| b.left == bound.left && b.right == bound.right);
            let (mut low, mut high, mut used) = (None, None, Vec::new());
            for (place, other) in same {
                if place >= first {
                    low = low.max(other.low);
                    high = match (high, other.high) {
                        (Some(a), Some(b)) => Some(std::cmp::min::<i64>(a, b)),
                        (a, b) => a.or(b),
                    };
                    used.push(*place);
                }
            }
            if let (Some(low), Some(high)) = (low, high) {
                let interval =
                    Interval { left: bound.left.clone(), right: bound.right.clone(), ends: Ends { low, high } };
                for place in &used {
                    self.condition(parts[*place], Reach::columns(&both))?;
                }
                let rest = parts.into_iter().enumerate().filter(|(place, _)| !used.contains(place));
                return Ok((Some(interval), rest.map(|(_, part)| part).collect()));
            }
        }
        Ok((None, parts))
    }

    /// What a part of a condition says of how far two times lie apart, if it says that alone.
    fn bound(&self, left: &Scope, right: &Scope, both: &Scope, part: &Expr) -> Resolved<Option<Bound>> {
        match &part.kind {
            ExprKind::Between { value, low, high, negated: false } => {
                let (Some(value), Some(low), Some(high)) =
                    (self.shifted(both, value)?, self.shifted(both, low)?, self.shifted(both, high)?)
                else {
                    return Ok(None);
                };
                if low.time != high.time {
                    return Ok(None);
                }
                // low + a <= value + v <= high + b: the value less the time is at least a - v and at most b - v.
                let ends = (low.by.checked_sub(value.by), high.by.checked_sub(value.by));
                let (Some(least), Some(most)) = ends else { return Ok(None) };
                Ok(bound_of(left, right, low.time, value.time, (Some(least), Some(most))))
            }
            ExprKind::Binary { operator, left: a, right: b, .. } => {
                let strict = match operator {
                    BinaryOperator::LessOrEqual | BinaryOperator::GreaterOrEqual => 0,
                    BinaryOperator::Less | BinaryOperator::Greater => 1,
                    _ => return Ok(None),
                };
                let (Some(a), Some(b)) = (self.shifted(both, a)?, self.shifted(both, b)?) else { return Ok(None) };
                let is_less = matches!(operator, BinaryOperator::LessOrEqual | BinaryOperator::Less);
                let (small, large) = if is_less { (a, b) } else { (b, a) };
                // small + s <= large + l: the large one less the small one is at least s - l.
                let least = small.by.checked_sub(large.by).and_then(|least| least.checked_add(strict));
                let Some(least) = least else { return Ok(None) };
                Ok(bound_of(left, right, small.time, large.time, (Some(least), None)))
            }
            _ => Ok(None),
        }
    }

    /// `time`, `time + d`, `time - d`.
    fn shifted(&self, both: &Scope, expr: &Expr) -> Resolved<Option<Shifted>> {
        if let ExprKind::Binary { operator, left, right, .. } = &expr.kind
            && let BinaryOperator::Add | BinaryOperator::Subtract = operator
        {
            let right = self.expression(right, Reach::columns(both))?;
            let by = if right.expr.column_refs().is_empty() { functions::evaluate(&right).ok() } else { None };
            let by = match by {
                Some(ScalarValue::DurationMicrosecond(Some(by)) | ScalarValue::Int64(Some(by))) => by,
                _ => return Ok(None),
            };
            let by = if *operator == BinaryOperator::Add { Some(by) } else { by.checked_neg() };
            let time = self.expression(left, Reach::columns(both))?;
            return Ok(by.and_then(|by| time_of(time).map(|time| Shifted { time, by })));
        }
        let time = self.expression(expr, Reach::columns(both))?;
        Ok(time_of(time).map(|time| Shifted { time, by: 0 }))
    }

    /// Both sides with what they are joined on: the left one once for each bucket in which a partner can lie. Gives the ids of
    /// the buckets.
    pub(super) fn with_buckets(
        &self,
        (left, right): (&Relation, &Relation),
        Interval { left: own, right: theirs, ends }: &Interval,
    ) -> (LogicalPlan, LogicalPlan, (String, String)) {
        let with = |side: &Relation, bucket: Typed| {
            let id = self.fresh("bucket");
            let columns = side.plan.schema().fields().iter();
            let kept = columns.map(|field| {
                let ty = Type::from_arrow(field.data_type()).unwrap_or(Type::Null);
                (Typed::column(field.name(), ColumnType::nullable(ty)), field.name().clone())
            });
            let all = kept.chain([(bucket, id.clone())]).collect();
            (build::project(side.plan.clone(), all, Origin::default()), id)
        };
        let (left, left_id) = with(left, functions::partner_buckets(own.clone(), *ends));
        let left = build::flatten(left, &left_id, Origin::default());
        let (right, right_id) = with(right, functions::bucket(theirs.clone(), *ends));
        (left, right, (left_id, right_id))
    }
}

/// A time, or a number that counts; a date counts as its midnight.
fn time_of(typed: Typed) -> Option<Typed> {
    match typed.ty.ty {
        // A time that can fail is looked at pair by pair.
        _ if typed.fallible => None,
        Type::Timestamp | Type::Int | Type::Duration => Some(typed),
        Type::Date => functions::coerce(typed, &Type::Timestamp),
        _ => None,
    }
}

/// The bound of `large - small`, seen from the left side.
fn bound_of(
    left: &Scope,
    right: &Scope,
    small: Typed,
    large: Typed,
    (low, high): (Option<i64>, Option<i64>),
) -> Option<Bound> {
    if small.ty.ty != large.ty.ty || small.expr.column_refs().is_empty() || large.expr.column_refs().is_empty() {
        return None;
    }
    if reads_only(&small, left) && reads_only(&large, right) {
        let (left, right) = same_type(small, large);
        return Some(Bound { left, right, low, high });
    }
    if reads_only(&large, left) && reads_only(&small, right) {
        // The opposite difference has the opposite bounds.
        let opposite = |end: Option<i64>| end.map(i64::checked_neg);
        let (low, high) = match (opposite(high), opposite(low)) {
            (Some(None), _) | (_, Some(None)) => return None,
            (low, high) => (low.flatten(), high.flatten()),
        };
        let (left, right) = same_type(large, small);
        return Some(Bound { left, right, low, high });
    }
    None
}
