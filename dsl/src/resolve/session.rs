//! `session(at, gap: d)` among the keys of a `summarize`.

use tidebook_plan::{ColumnType, Diagnostic, Span, Type};

use crate::diagnostics::{names, windows};
use crate::functions::{self, Typed};
use crate::logical::Origin;
use crate::resolve::expression::call_fault;
use crate::resolve::fault::Resolved;
use crate::resolve::relation::Relation;
use crate::resolve::scope::ScopeColumn;
use crate::resolve::{Reach, Resolver, build};
use crate::syntax::tree::{Call, Expr};

/// A key that is a session.
pub(crate) struct SessionKey {
    /// Id of the timestamps.
    pub time: String,
    /// Microseconds at which a session ends.
    pub gap: i64,
    /// The column of the session.
    pub column: ScopeColumn,
}

impl Resolver<'_> {
    /// The timestamps of a session and its gap in microseconds.
    pub(crate) fn session(&self, call: &Call, span: Span, reach: Reach<'_>) -> Resolved<(Typed, i64)> {
        let arguments: Vec<&Expr> = match (&call.arguments.positional[..], &call.arguments.named[..]) {
            ([at, gap], []) => vec![at, gap],
            ([at], [gap]) if gap.name.text == "gap" => vec![at, &gap.value],
            _ => {
                return Err(names::ARGUMENT_COUNT
                    .error("`session` takes a timestamp and the gap at which it ends", span)
                    .with_help("write `session(at, gap: 30m)`")
                    .into());
            }
        };
        let typed = self.all(arguments.iter().map(|argument| self.expression(argument, reach)))?;
        let spans: Vec<Span> = arguments.iter().map(|argument| argument.span).collect();
        let gap =
            functions::window_length("the gap of a session", &typed, 1).map_err(|f| call_fault(f, span, &spans))?;
        let found = typed[0].ty.clone();
        let Some(at) = functions::coerce(typed[0].clone(), &Type::Timestamp) else {
            return Err(names::WRONG_TYPE
                .error(format!("`session` goes by a timestamp or a date, not by {}", found.ty), spans[0])
                .into());
        };
        Ok((at, gap))
    }
}

/// The rows with their sessions, per the other keys.
pub(crate) fn with_sessions(
    mut input: Relation,
    mut keys: Vec<String>,
    sessions: Vec<SessionKey>,
    origin: &Origin,
) -> Relation {
    for SessionKey { time, gap, column } in sessions {
        input.narrow();
        input.plan = build::sessions(input.plan, keys.clone(), time, gap, &column.id, origin.clone());
        input.retracts = true;
        keys.push(column.id.clone());
        input.scope.columns.push(ScopeColumn { hidden: true, ..column });
    }
    input
}

/// The type of a session of these timestamps.
pub(crate) fn session_type(at: &Typed) -> ColumnType {
    ColumnType { ty: functions::window_type(), nullable: at.ty.nullable }
}

/// D0703: a session that is no key.
pub(crate) fn misplaced(span: Span) -> Diagnostic {
    windows::MISPLACED_SESSION
        .error("a session stands only among the keys of `summarize`", span)
        .with_help("write `summarize n: count() by k, w: session(at, gap: 30m)`")
}
