//! `emit`, `late` and `keep` of a `summarize`: when its windows are shown, and when they close.

use datafusion_expr::LogicalPlan;
use tidebook_plan::flow::Gate;
use tidebook_plan::{Diagnostic, Span, Type};

use crate::catalog::{ErrorStream, TableColumn};
use crate::diagnostics::time;
use crate::functions::Typed;
use crate::logical::{Origin, WatermarkSource, error_columns};
use crate::resolve::fault::{self, Resolved};
use crate::resolve::relation::Relation;
use crate::resolve::scope::{Scope, ScopeColumn, quoted};
use crate::resolve::session::SessionKey;
use crate::resolve::watermark::{Mark, is_window};
use crate::resolve::{Resolver, build};
use crate::syntax::tree::{Emit, Expr, Summarize};

/// When windows close.
#[derive(Clone, Debug)]
pub(crate) struct Closing {
    /// Id of the key that closes.
    key: String,
    sources: Vec<WatermarkSource>,
    /// How long after its end, in microseconds.
    late: i64,
    /// True where it is shown only then.
    once: bool,
}

/// How the result of a `summarize` is shown.
#[derive(Clone, Debug, Default)]
pub(crate) struct Timing {
    closing: Option<Closing>,
    /// The least time between two changes, in microseconds.
    every: Option<u64>,
}

impl Timing {
    /// True where the result is no longer a function of the input's contents.
    pub fn holds(&self) -> bool {
        self.closing.is_some() || self.every.is_some()
    }

    /// True where what is shown stays as it is.
    pub fn gives_once(&self) -> bool {
        self.closing.as_ref().is_some_and(|closing| closing.once)
    }

    /// The mark of a key of the result.
    pub fn mark(&self, key: &ScopeColumn) -> Option<Mark> {
        let late = self.closing.as_ref().filter(|closing| closing.once).map_or(0, |closing| closing.late);
        key.mark.as_ref().map(|mark| mark.later(late))
    }
}

impl Resolver<'_> {
    /// What is said of the time of a `summarize` with these keys.
    pub(crate) fn timing(
        &self,
        summarize: &Summarize,
        keys: &[ScopeColumn],
        sessions: &[SessionKey],
    ) -> Resolved<Timing> {
        let spanned = |expr: Option<&Expr>, what| -> Resolved<Option<(i64, Span)>> {
            expr.map(|expr| Ok((self.distance(expr, what)?, expr.span))).transpose()
        };
        let late = spanned(summarize.late.as_ref(), "`late`")?;
        let keep = spanned(summarize.keep.as_ref(), "`keep`")?;
        let every = match &summarize.emit {
            Some(Emit::Every(every, _)) => match self.distance(every, "`emit every`")? {
                0 => return Err(time::NO_DISTANCE.error("changes are shown some time apart", every.span).into()),
                every => Some(every.unsigned_abs()),
            },
            _ => None,
        };
        let (what, span, late, once) = match (&summarize.emit, late, keep) {
            (Some(Emit::Final(span)), late, _) => ("`emit final`", *span, late.map_or(0, |(late, _)| late), true),
            (_, Some((_, span)), _) => {
                return Err(time::LATE_ALONE
                    .error("`late` says how long `emit final` waits for late rows", span)
                    .with_help("write `emit final late …`, or `keep …` for a window that is shown as it grows")
                    .into());
            }
            (_, None, Some((keep, span))) => ("`keep`", span, keep, false),
            (_, None, None) => return Ok(Timing { closing: None, every }),
        };
        let windows = keys.iter().filter(|key| is_window(&key.ty.ty));
        let instants = keys.iter().filter(|key| key.ty.ty == Type::Timestamp && key.mark.is_some());
        let Some(key) = windows.chain(instants).next() else {
            return Err(time::NO_WINDOW
                .error(format!("{what} needs a window among the keys"), span)
                .with_help("add one: `by w: tumble(at, 1m)`")
                .into());
        };
        if sessions.iter().any(|session| session.column.id == key.id) {
            return Err(fault::not_available(&format!("{what} of a session"), span).into());
        }
        let Some(mark) = &key.mark else { return Err(unmarked(what, key, span).into()) };
        let closing = Closing { key: key.id.clone(), sources: mark.sources(), late, once };
        Ok(Timing { closing: Some(closing), every })
    }

    /// What the groups are made of: only rows in time, and only as long as their window is open.
    pub(crate) fn in_time(&self, timing: &Timing, input: LogicalPlan, origin: &Origin) -> LogicalPlan {
        match &timing.closing {
            Some(closing) => gate(closing, input, &closing.key, Gate::Forget, origin),
            None => input,
        }
    }

    /// The groups as they are shown.
    pub(crate) fn shown_in_time(&self, timing: &Timing, groups: LogicalPlan, origin: &Origin) -> LogicalPlan {
        let mut plan = groups;
        if let Some(closing) = &timing.closing {
            plan = gate(closing, plan, &closing.key, closing.shows(), origin);
        }
        if let Some(every) = timing.every {
            plan = build::throttled(plan, every, origin.clone());
        }
        if timing.holds() { self.held(plan) } else { plan }
    }

    /// The errors of the groups, which stay with a window that has closed. `groups` has the keys first.
    pub(crate) fn errors_in_time(
        &self,
        timing: &Timing,
        groups: &LogicalPlan,
        mut stream: ErrorStream,
        origin: &Origin,
    ) -> ErrorStream {
        if let Some(closing) = &timing.closing
            && let Some(place) = error_columns(groups).and_then(|c| c.iter().position(|(id, _)| *id == closing.key))
        {
            let key = build::column_ids(&stream.plan)[place].clone();
            stream.plan = self.held(gate(closing, stream.plan, &key, closing.shows(), origin));
        }
        stream
    }

    /// The rows that come too late, as the step received them: those of `received`, which `prepared` has with its keys.
    pub(crate) fn too_late(
        &self,
        timing: &Timing,
        prepared: &Relation,
        received: &Scope,
        origin: &Origin,
    ) -> Vec<ErrorStream> {
        let Some(closing) = &timing.closing else { return Vec::new() };
        let late = gate(closing, prepared.plan.clone(), &closing.key, Gate::Late, origin);
        let columns: Vec<(Typed, String)> =
            received.visible().map(|c| (Typed::column(c.id.clone(), c.ty.clone()), c.id.clone())).collect();
        let received_columns = build::project(late, columns, Origin::default());
        let plan = self.held(build::balance(received_columns, origin.clone()));
        let ids: Vec<String> = received.visible().map(|column| column.id.clone()).collect();
        let late = self.stream_columns(received, &ids, &ids);
        let late = late.into_iter().map(|(id, name, ty)| TableColumn::new(name, id, ty)).collect();
        let stream =
            ErrorStream { plan: plan.clone(), columns: late, error: String::new(), step: String::new(), late: true };
        std::iter::once(stream).chain(self.errors_of(&plan, received)).collect()
    }
}

impl Closing {
    fn shows(&self) -> Gate {
        if self.once { Gate::Final } else { Gate::Open }
    }
}

fn gate(closing: &Closing, input: LogicalPlan, key: &str, gate: Gate, origin: &Origin) -> LogicalPlan {
    build::gated(input, closing.sources.clone(), key, (closing.late, gate), origin.clone())
}

fn unmarked(what: &str, key: &ScopeColumn, span: Span) -> Diagnostic {
    let message =
        format!("{what} goes by a watermark, and the window `{}` is of a column without one", quoted(&key.name));
    time::NOT_MARKED.error(message, span).with_help("mark the column before: `| watermark at delay 10s`")
}
