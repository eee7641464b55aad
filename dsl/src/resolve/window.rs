//! Window functions, gathered while the expressions of a step are resolved: `px - lag(px) over (…)` becomes an expression
//! over a column of a window node below the step.
//!
//! Each partition and order is a node of its own, and so are functions that see a partition whole, since these would make
//! the others read it whole as well.

use std::cell::RefCell;

use datafusion_common::ScalarValue;
use tidebook_plan::flow::{Extent, Frame};
use tidebook_plan::{ColumnType, Diagnostic, Span, Type};

use crate::diagnostics::{names, windows};
use crate::functions::{self, AggregateCall, AggregateFunction, OrderWord, Typed};
use crate::logical::{Origin, SortColumn, WindowColumn, WindowKind};
use crate::resolve::aggregate::{self, misplaced_order};
use crate::resolve::computed::{Computed, may_lack_value};
use crate::resolve::expression::call_fault;
use crate::resolve::fault::Resolved;
use crate::resolve::relation::Relation;
use crate::resolve::scope::ScopeColumn;
use crate::resolve::{Reach, Resolver, build};
use crate::syntax::tree::{Call, Frame as WrittenFrame, Over};

/// Where an expression stands, as far as window functions are concerned.
#[derive(Clone, Copy)]
pub(crate) enum WindowPlace<'a> {
    /// Where there are none.
    Nowhere,
    /// Inside of one.
    Inside,
    /// In a step that gathers them.
    Step(&'a Windows),
}

/// What a step needs computed below it.
#[derive(Default)]
pub(crate) struct Windows {
    /// The order that the table has of its own.
    ordering: Vec<(Typed, bool)>,
    /// Columns to compute before.
    computed: Computed,
    groups: RefCell<Vec<Group>>,
}

/// Functions that become one node.
struct Group {
    partition: Vec<String>,
    order: Vec<SortColumn>,
    /// True if each of them sees its partition whole.
    whole: bool,
    functions: Vec<(WindowColumn, ColumnType)>,
}

/// What `over (…)` says.
struct Bounds {
    partition: Vec<String>,
    /// The order, without the partition's own columns.
    order: Vec<(String, bool, ColumnType)>,
    /// The frame of an aggregate.
    frame: Frame,
}

impl Windows {
    /// None yet, over the rows of `input`.
    pub fn new(input: &Relation) -> Self {
        let column = |(id, descending): &(String, bool)| {
            let column = input.scope.columns.iter().find(|column| column.id == *id)?;
            Some((Typed::column(column.id.clone(), column.ty.clone()), *descending))
        };
        Windows { ordering: input.ordering.iter().map_while(column).collect(), ..Windows::default() }
    }

    /// The value of a function, which may be there already.
    fn add(&self, bounds: Bounds, function: WindowColumn, ty: ColumnType) -> Typed {
        let order: Vec<SortColumn> =
            bounds.order.into_iter().map(|(column, descending, _)| SortColumn { column, descending }).collect();
        let whole = sees_all(&function.kind);
        let mut groups = self.groups.borrow_mut();
        let place = groups
            .iter()
            .position(|group| group.whole == whole && group.partition == bounds.partition && group.order == order);
        let place = place.unwrap_or_else(|| {
            groups.push(Group { partition: bounds.partition, order, whole, functions: Vec::new() });
            groups.len() - 1
        });
        let functions = &mut groups[place].functions;
        let same = |known: &WindowColumn| WindowColumn { output: function.output.clone(), ..known.clone() } == function;
        if let Some((known, _)) = functions.iter().find(|(known, _)| same(known)) {
            return Typed::column(known.output.clone(), ty);
        }
        let output = function.output.clone();
        functions.push((function, ty.clone()));
        Typed::column(output, ty)
    }
}

/// True if a result may depend on all rows of the partition, or on more of them than can be kept.
fn sees_all(kind: &WindowKind) -> bool {
    match kind {
        WindowKind::RowNumber | WindowKind::Rank | WindowKind::DenseRank | WindowKind::Neighbour(_) => false,
        WindowKind::Edge(_, frame) => *frame == Frame::Partition,
        WindowKind::Aggregate(function, frame) => {
            let collects = matches!(
                function,
                AggregateFunction::List
                    | AggregateFunction::Set
                    | AggregateFunction::Join(_)
                    | AggregateFunction::CountDistinct
                    | AggregateFunction::Quantile(_)
            );
            *frame == Frame::Partition || collects && *frame == Frame::Running
        }
    }
}

impl Resolver<'_> {
    /// The value of a call with `over (…)`.
    pub(crate) fn window(&self, call: &Call, over: &Over, span: Span, reach: Reach<'_>) -> Resolved<Typed> {
        let name = call.function.text();
        let misplaced =
            |message: String, help: &str| windows::MISPLACED_WINDOW.error(message, over.span).with_help(help);
        let known = aggregate::kind(&name).or_else(|| functions::WINDOWS.iter().map(|f| f.name).find(|f| *f == name));
        let Some(known) = known else {
            if functions::function(&name).is_none() && !self.catalog.functions.contains_key(&name) {
                return Err(self.unknown_function(&name, call.function.span).into());
            }
            let message = format!("`{name}` sees its own row alone, so it takes no `over`");
            return Err(misplaced(message, "window functions are `lag` and its kind, and every aggregate").into());
        };
        let gathered = match reach.windows {
            WindowPlace::Step(gathered) => gathered,
            WindowPlace::Inside => {
                let message = "a window function stands inside of another".to_string();
                return Err(misplaced(message, "compute the inner one in a step before: `| derive w: …`").into());
            }
            WindowPlace::Nowhere => {
                let message = "a window function stands only in `derive`, `select` and `where`".to_string();
                return Err(misplaced(message, "compute it in a step before: `| derive w: …`").into());
            }
        };
        if let Some(argument) = call.arguments.named.first() {
            let message = format!("`{name}` has no argument called `{}`", argument.name.text);
            return Err(names::ARGUMENT_COUNT.error(message, argument.name.span).into());
        }
        let inner = Reach { windows: WindowPlace::Inside, aggregation: None, ..reach };
        let typed = self.all(call.arguments.positional.iter().map(|argument| self.expression(argument, inner)))?;
        let edge = matches!(known, "first" | "last") && call.by.is_empty();
        let is_aggregate = aggregate::kind(known).is_some() && !edge;
        let bounds = self.bounds(known, over, is_aggregate, span, (gathered, inner))?;
        if is_aggregate {
            return self.window_aggregate(known, call, span, typed, bounds, (gathered, inner));
        }
        if let Some(filter) = &call.filter {
            let message = format!("`{name}` of a window takes no `filter`");
            let fault = names::MISPLACED_AGGREGATE.error(message, filter.span);
            return Err(if edge {
                fault.with_help(format!("the aggregate does: `{name}(e by key) filter (…) over (…)`"))
            } else {
                fault
            }
            .into());
        }
        if let Some(key) = call.by.first().or(call.sort.first()) {
            let message = format!("`{name}` takes its order in `over (… sort …)`");
            return Err(names::MISPLACED_AGGREGATE.error(message, key.span).into());
        }
        self.window_place(known, call, span, typed, bounds, gathered)
    }

    /// Partition, order and frame.
    fn bounds(
        &self,
        name: &'static str,
        over: &Over,
        is_aggregate: bool,
        span: Span,
        (gathered, inner): (&Windows, Reach<'_>),
    ) -> Resolved<Bounds> {
        let mut partition: Vec<String> = Vec::new();
        for typed in self.all(over.by.iter().map(|key| self.expression(key, inner)))? {
            let id = gathered.computed.column(self, typed, "partition");
            if !partition.contains(&id) {
                partition.push(id);
            }
        }
        let sorted = self.all(over.sort.iter().map(|key| {
            let typed = self.expression(&key.expr, inner)?;
            self.refuse_unordered(&typed, key.expr.span)?;
            Ok((typed, key.descending))
        }))?;
        let goes_by_order = !is_aggregate || over.frame.is_some();
        let keys = if sorted.is_empty() && goes_by_order { gathered.ordering.clone() } else { sorted };
        if keys.is_empty() && goes_by_order {
            let message = format!("`{name}` over rows without an order");
            return Err(names::NEEDS_ORDER
                .error(message, span)
                .with_help("say by which column: `over (by k sort at)`, or `sort` the table before")
                .into());
        }
        let count = keys.len();
        let mut order: Vec<(String, bool, ColumnType)> = Vec::new();
        for (typed, descending) in keys {
            let ty = typed.ty.clone();
            let id = gathered.computed.column(self, typed, "order");
            // Rows of one partition do not differ in its columns.
            if !partition.contains(&id) && order.iter().all(|(other, ..)| *other != id) {
                order.push((id, descending, ty));
            }
        }
        let is_place = !is_aggregate && !matches!(name, "first" | "last");
        let frame = match &over.frame {
            Some(frame) if is_place => {
                let fault = windows::WRONG_FRAME.error(format!("`{name}` takes no frame"), frame.span);
                return Err(fault.with_help("it goes by the place in the order alone").into());
            }
            Some(frame) => self.frame(frame, count, &order)?,
            None if over.sort.is_empty() => Frame::Partition,
            None => Frame::Running,
        };
        Ok(Bounds { partition, order, frame })
    }

    fn frame(&self, frame: &WrittenFrame, keys: usize, order: &[(String, bool, ColumnType)]) -> Resolved<Frame> {
        if frame.rows {
            return match self.count(&frame.extent, "a frame")? {
                0 => Err(names::WRONG_VALUE
                    .error("a frame holds the current row, so it has 1 row at least", frame.extent.span)
                    .into()),
                count => Ok(Frame::Rows(count)),
            };
        }
        let (value, found) = self.constant(&frame.extent, "a frame")?;
        let wrong = |message: String| windows::WRONG_FRAME.error(message, frame.span);
        if keys != 1 {
            let message = format!("a frame by distance needs one sort key, there are {keys}");
            return Err(wrong(message).with_help("write a number of rows: `last 5 rows`").into());
        }
        let Some((_, _, ty)) = order.first() else {
            // All rows of a partition are at one place.
            return Ok(Frame::Running);
        };
        let whole = |value: i64| (value >= 0).then_some(Extent::Whole(value));
        let extent = match (&ty.ty, &value) {
            (Type::Timestamp | Type::Date | Type::Duration, ScalarValue::DurationMicrosecond(Some(value)))
            | (Type::Int, ScalarValue::Int64(Some(value))) => whole(*value),
            (Type::Float, ScalarValue::Int64(Some(value))) => {
                (*value >= 0).then(|| Extent::Float((*value as f64).to_bits()))
            }
            (Type::Float, ScalarValue::Float64(Some(value))) => {
                (value.is_finite() && *value >= 0.0).then(|| Extent::Float(value.to_bits()))
            }
            (Type::Timestamp | Type::Date | Type::Duration, _) => {
                let fault = wrong(format!("a frame by {} takes a duration, found {found}", ty.ty));
                return Err(fault.with_help("write `last 10m`, or a number of rows: `last 5 rows`").into());
            }
            (Type::Int | Type::Float, _) => {
                let fault = wrong(format!("a frame by {} takes a number, found {found}", ty.ty));
                return Err(fault.with_help("write `last 10`, or a number of rows: `last 5 rows`").into());
            }
            _ => {
                let fault = wrong(format!("a frame by distance goes by a time or a number, not by {}", ty.ty));
                return Err(fault.with_help("write a number of rows: `last 5 rows`").into());
            }
        };
        extent
            .map(Frame::Range)
            .ok_or_else(|| names::WRONG_VALUE.error("a frame reaches back by 0 or more", frame.extent.span).into())
    }

    /// An aggregate of each row's frame.
    fn window_aggregate(
        &self,
        name: &'static str,
        call: &Call,
        span: Span,
        typed: Vec<Typed>,
        bounds: Bounds,
        (gathered, inner): (&Windows, Reach<'_>),
    ) -> Resolved<Typed> {
        misplaced_order(self, name, call)?;
        let keys = if functions::order_word(name) == OrderWord::By { &call.by } else { &call.sort };
        let order = self.all(keys.iter().map(|key| Ok((self.expression(&key.expr, inner)?, key.descending))))?;
        let (mut bound, filter) = self.aggregate_call(name, call, span, (typed, order), inner)?;
        // The row itself is one of its frame.
        bound.result.nullable &= may_lack_value(&bound, filter.is_some());
        let AggregateCall { function, argument, order, result } = bound;
        let (argument, filter) = match (argument, filter) {
            (Some(argument), Some(filter)) if !function.is_sum() => {
                // A row that does not count is one without a value.
                let counted = functions::case(vec![(filter, argument)], None).map_err(|f| call_fault(f, span, &[]))?;
                (Some(counted), None)
            }
            others => others,
        };
        let input = argument.map(|argument| gathered.computed.column(self, argument, name));
        let filter = filter.map(|filter| gathered.computed.column(self, filter, "filter"));
        let key = |(key, descending)| SortColumn { column: gathered.computed.column(self, key, "order"), descending };
        let order = order.into_iter().map(key).collect();
        let kind = WindowKind::Aggregate(function, bounds.frame);
        let function = WindowColumn { kind, input, default: None, filter, order, output: self.fresh(name) };
        Ok(gathered.add(bounds, function, result))
    }

    /// A function that goes by the place of the row.
    fn window_place(
        &self,
        name: &'static str,
        call: &Call,
        span: Span,
        typed: Vec<Typed>,
        bounds: Bounds,
        gathered: &Windows,
    ) -> Resolved<Typed> {
        let arguments = &call.arguments.positional;
        let takes = match name {
            "row_number" | "rank" | "dense_rank" => 0..=0,
            "lag" | "lead" => 1..=3,
            _ => 1..=1,
        };
        if !takes.contains(&typed.len()) {
            let wanted = match (takes.start(), takes.end()) {
                (0, _) => "no argument",
                (_, 1) => "one argument",
                _ => "one to three arguments",
            };
            let message = format!("`{name}` takes {wanted}, not {}", typed.len());
            return Err(names::ARGUMENT_COUNT.error(message, span).into());
        }
        let mut values = typed.into_iter();
        let column = |kind, input: Option<String>, default: Option<String>| WindowColumn {
            kind,
            input,
            default,
            filter: None,
            order: Vec::new(),
            output: self.fresh(name),
        };
        let number = ColumnType::required(Type::Int);
        let Some(mut value) = values.next() else {
            let kind = match name {
                "rank" => WindowKind::Rank,
                "dense_rank" => WindowKind::DenseRank,
                _ => WindowKind::RowNumber,
            };
            return Ok(gathered.add(bounds, column(kind, None, None), number));
        };
        if matches!(name, "first" | "last") {
            let ty = value.ty.clone();
            let kind = WindowKind::Edge(name == "last", bounds.frame);
            let input = gathered.computed.column(self, value, name);
            return Ok(gathered.add(bounds, column(kind, Some(input), None), ty));
        }
        let offset = match values.next() {
            Some(typed) => self.offset(name, &typed, arguments[1].span)?,
            None => 1,
        };
        let mut ty = ColumnType { nullable: true, ..value.ty.clone() };
        let mut default = None;
        if let Some(other) = values.next() {
            let Some(common) = functions::common_type(&value.ty, &other.ty) else {
                let message = format!("the default of `{name}` is {}, its value {}", other.ty, value.ty);
                return Err(names::WRONG_TYPE.error(message, arguments[2].span).into());
            };
            let as_common = |typed: Typed, place: usize| {
                let found = typed.ty.clone();
                functions::coerce(typed, &common.ty).ok_or_else(|| {
                    names::WRONG_TYPE.error(format!("{found} does not become {}", common.ty), arguments[place].span)
                })
            };
            value = as_common(value, 0)?;
            let other = as_common(other, 2)?;
            default = Some(gathered.computed.column(self, other, "default"));
            ty = common;
        }
        let input = gathered.computed.column(self, value, name);
        let kind = WindowKind::Neighbour(if name == "lag" { -offset } else { offset });
        Ok(gathered.add(bounds, column(kind, Some(input), default), ty))
    }

    /// How many rows `lag` and `lead` go.
    fn offset(&self, name: &str, typed: &Typed, span: Span) -> Resolved<i64> {
        let constant = typed.expr.column_refs().is_empty();
        let value = if constant { functions::evaluate(typed).ok() } else { None };
        match value {
            Some(ScalarValue::Int64(Some(count))) if count >= 0 => Ok(count),
            Some(ScalarValue::Int64(Some(count))) => {
                let other = if name == "lag" { "lead" } else { "lag" };
                let message = format!("`{name}` goes 0 or more rows, not {count}");
                Err(names::WRONG_VALUE.error(message, span).with_help(format!("`{other}` goes the other way")).into())
            }
            _ => {
                let message = format!("the distance of `{name}` is a whole number, the same for all rows");
                Err(names::WRONG_VALUE.error(message, span).into())
            }
        }
    }

    /// The relation with what the windows of a step give as hidden columns.
    pub(crate) fn with_windows(&self, input: Relation, windows: Windows, origin: &Origin) -> Relation {
        let groups = windows.groups.into_inner();
        if groups.is_empty() {
            return input;
        }
        let mut relation = self.extend(input, windows.computed.take(), origin.clone());
        // Ties go by the columns that the user sees first.
        relation.scope.columns.sort_by_key(|column| column.hidden);
        relation.narrow();
        relation.retracts = true;
        for group in groups {
            let (functions, types): (Vec<WindowColumn>, Vec<ColumnType>) = group.functions.into_iter().unzip();
            let results: Vec<ScopeColumn> = functions
                .iter()
                .zip(types)
                .map(|(function, ty)| ScopeColumn { hidden: true, ..ScopeColumn::new("", &*function.output, ty) })
                .collect();
            relation.plan = build::window(relation.plan, group.partition, group.order, functions, origin.clone());
            relation.errors.extend(self.errors_of(&relation.plan, &relation.scope));
            relation.scope.columns.extend(results);
        }
        relation
    }
}

/// D0701: a function that needs `over (…)`.
pub(crate) fn without_over(name: &str, span: Span) -> Diagnostic {
    let arguments = if matches!(name, "lag" | "lead") { "e" } else { "" };
    windows::MISPLACED_WINDOW
        .error(format!("`{name}` is a window function: it needs `over (…)`"), span)
        .with_help(format!("say of which rows: `{name}({arguments}) over (by k sort at)`"))
}
