//! `iterate r { … }`: a pipeline that is applied to a table again and again.

use std::sync::Arc;

use datafusion_common::ScalarValue;
use tidebook_plan::{ColumnType, Type};

use crate::catalog::{ErrorStream, TableColumn, TablePlan};
use crate::diagnostics::{names, steps};
use crate::functions::{self, Typed};
use crate::logical::{self, Origin, Role};
use crate::resolve::fault::{self, Resolved};
use crate::resolve::relation::Relation;
use crate::resolve::scope::{ScopeColumn, quoted};
use crate::resolve::{Resolver, build, errors_table};
use crate::syntax::tree::{DedupeRule, Emit, Iterate, Path, Step, StepKind};

/// The table that goes round in a loop.
pub(crate) struct LoopTable {
    /// What the body calls it.
    name: String,
    /// Which loop.
    variable: Arc<str>,
    plan: TablePlan,
}

/// What is known of the table of a loop before its body is resolved.
#[derive(Clone, PartialEq)]
struct Shape {
    columns: Vec<(String, ColumnType)>,
    /// Positions of the key.
    key: Vec<usize>,
}

/// How much the resolver had noted.
struct Mark {
    also: usize,
    warnings: usize,
    sources: usize,
    extent: crate::catalog::Extent,
}

impl Resolver<'_> {
    pub(crate) fn iterate(&self, mut input: Relation, iterate: &Iterate, step: &Step) -> Resolved<Relation> {
        input.forget_hidden();
        if let Some((first, second)) = input.scope.twice() {
            return Err(fault::two_columns(first, second, step.span).into());
        }
        let max = iterate.max.as_ref().map(|max| self.rounds(max)).transpose()?;
        let mut shape = Shape {
            columns: input.scope.visible().map(|column| (column.name.clone(), column.ty.clone())).collect(),
            key: input.ids().iter().enumerate().filter(|(_, id)| input.key.contains(id)).map(|(i, _)| i).collect(),
        };
        // A column may be null after a round that was not before, and a key may get lost: then the body is another one.
        // Each turn widens something, so there are few.
        loop {
            let mark = self.mark();
            let variable: Arc<str> = Arc::from(self.fresh(&iterate.name.text));
            let table = self.loop_plan(&variable, &shape);
            let name = iterate.name.text.clone();
            self.loops.borrow_mut().push(LoopTable { name, variable: Arc::clone(&variable), plan: table });
            let body = self.pipeline(&iterate.body);
            self.loops.borrow_mut().pop();
            let mut body = body?;
            body.forget_hidden();
            if let Some((what, span)) = logical::not_repeatable(&body.plan, &variable) {
                let message = format!("{what} of what `{}` holds cannot be repeated in a loop", iterate.name.text);
                return Err(steps::NOT_IN_LOOP
                    .error(message, span)
                    .with_help("put it before the loop, or after it")
                    .into());
            }
            let wider = self.shape_after(&shape, &body, iterate)?;
            if wider == shape {
                return Ok(self.looped(input, body, shape, variable, max, self.origin(step.span)));
            }
            self.go_back(mark);
            shape = wider;
        }
    }

    /// The table of a loop, if the path names one.
    pub(crate) fn loop_table(&self, path: &Path) -> Resolved<Option<Relation>> {
        let loops = self.loops.borrow();
        let Some(table) = loops.iter().rfind(|table| table.name == path.parts[0].text) else { return Ok(None) };
        if path.parts.len() == 1 {
            return Ok(Some(self.use_table(&table.plan, Some(&table.name))));
        }
        let message = format!("`{}` is not a table: `{}` is the table of a loop", path.text(), table.name);
        let help = "what fails in a loop is in the errors of the table that it makes";
        Err(names::UNKNOWN_TABLE.error(message, path.span).with_help(help).into())
    }

    /// Refuses a step that goes by what happened when, where its input goes round in a loop.
    pub(crate) fn refuse_in_loop(&self, input: &Relation, step: &Step) -> Resolved<()> {
        let what = match &step.kind {
            StepKind::Changes => "`changes`",
            StepKind::Dedupe { rule: DedupeRule::When(_), .. } => "`dedupe … when`",
            StepKind::Watermark { .. } => "`watermark`",
            StepKind::Summarize(summarize) => match &summarize.emit {
                Some(Emit::Final(_)) => "`emit final`",
                Some(Emit::Every(..)) => "`emit every`",
                Some(Emit::Live(_)) | None if summarize.keep.is_some() => "`keep`",
                Some(Emit::Live(_)) | None => return Ok(()),
            },
            _ => return Ok(()),
        };
        let loops = self.loops.borrow();
        let Some(table) =
            loops.iter().rfind(|table| logical::reads_variable(&input.plan, |leaf| leaf.name == table.variable))
        else {
            return Ok(());
        };
        let message = format!("{what} goes by what happened when, and `{}` is made anew in every round", table.name);
        Err(steps::NOT_IN_LOOP.error(message, step.keyword).with_help("put it before the loop, or after it").into())
    }

    /// The number of rounds.
    fn rounds(&self, max: &crate::syntax::tree::Expr) -> Resolved<u64> {
        let (value, ty) = self.constant(max, "`max`")?;
        match value {
            ScalarValue::Int64(Some(rounds)) if rounds > 0 => Ok(rounds.unsigned_abs()),
            ScalarValue::Int64(Some(rounds)) => {
                Err(names::WRONG_VALUE.error(format!("`max` takes 1 or more rounds, not {rounds}"), max.span).into())
            }
            _ => Err(names::WRONG_TYPE.error(format!("`max` takes a whole number, found {ty}"), max.span).into()),
        }
    }

    fn mark(&self) -> Mark {
        Mark {
            also: self.also.borrow().len(),
            warnings: self.warnings.borrow().len(),
            sources: self.sources.borrow().len(),
            extent: self.uses.borrow().extent,
        }
    }

    fn go_back(&self, mark: Mark) {
        self.also.borrow_mut().truncate(mark.also);
        self.warnings.borrow_mut().truncate(mark.warnings);
        self.sources.borrow_mut().truncate(mark.sources);
        self.uses.borrow_mut().extent = mark.extent;
    }

    /// What the body reads.
    fn loop_plan(&self, variable: &Arc<str>, shape: &Shape) -> TablePlan {
        let columns = shape.columns.iter();
        let columns: Vec<TableColumn> =
            columns.map(|(name, ty)| TableColumn::new(name.clone(), self.fresh(name), ty.clone())).collect();
        let typed: Vec<(String, Type)> = columns.iter().map(|c| (c.id.clone(), c.ty.ty.clone())).collect();
        TablePlan {
            plan: build::variable(variable, Role::Table, &typed),
            columns,
            order_columns: Vec::new(),
            key: shape.key.clone(),
            ordering: Vec::new(),
            retracts: true,
            errors: Vec::new(),
            sources: Vec::new(),
            histories: Vec::new(),
        }
    }

    /// The shape that fits both the table that a round began with and the one that it gave.
    fn shape_after(&self, before: &Shape, body: &Relation, iterate: &Iterate) -> Resolved<Shape> {
        let span = iterate.body.span;
        if let Some((first, second)) = body.scope.twice() {
            return Err(fault::two_columns(first, second, span).into());
        }
        let table = &iterate.name.text;
        let mut wrong: Vec<String> = Vec::new();
        let mut help = None;
        let mut columns = Vec::new();
        for (name, ty) in &before.columns {
            let Some(after) = body.scope.visible().find(|column| column.name == *name) else {
                wrong.push(format!("has no column `{name}`"));
                continue;
            };
            let nullable = ty.nullable || after.ty.nullable;
            if after.ty.ty == ty.ty || after.ty.ty == Type::Null {
                columns.push((name.clone(), ColumnType { ty: ty.ty.clone(), nullable }));
            } else if ty.ty == Type::Null {
                columns.push((name.clone(), ColumnType { ty: after.ty.ty.clone(), nullable: true }));
            } else {
                wrong.push(format!("has `{name}` as {}, where it was {}", after.ty.ty, ty.ty));
                help.get_or_insert_with(|| convert(name, &ty.ty, &after.ty.ty));
            }
        }
        for column in body.scope.visible() {
            if before.columns.iter().all(|(name, _)| *name != column.name) {
                wrong.push(format!("also has `{}`", column.name));
            }
        }
        if !wrong.is_empty() {
            let message = format!("after a round, `{table}` {}", wrong.join(", "));
            let columns = fault::list_names(before.columns.iter().map(|(name, _)| name.as_str()));
            let help = help.unwrap_or_else(|| format!("end the body with `select`: the columns are {columns}"));
            return Err(steps::LOOP_COLUMNS.error(message, span).with_help(help).into());
        }
        let place = |id: &String| {
            let column = body.scope.visible().find(|column| column.id == *id)?;
            before.columns.iter().position(|(name, _)| *name == column.name)
        };
        let mut key: Vec<usize> = body.key.iter().filter_map(place).collect();
        key.sort_unstable();
        let key = if key == before.key { key } else { Vec::new() };
        Ok(Shape { columns, key })
    }

    /// The loop, once its body keeps the shape.
    fn looped(
        &self,
        input: Relation,
        body: Relation,
        shape: Shape,
        variable: Arc<str>,
        max: Option<u64>,
        origin: Origin,
    ) -> Relation {
        let qualifiers: Vec<Vec<String>> = input.scope.visible().map(|column| column.qualifiers.clone()).collect();
        let head = input.scope.head.clone();
        let mut streams = input.errors.clone();
        let start = self.in_shape(input, &shape);
        let mut unsettled = vec![self.unsettled(&variable, &shape)];
        unsettled.extend(body.errors.iter().cloned());
        let Some(errors) = errors_table(self, &unsettled) else { unreachable!("there is a stream of errors") };
        let body = self.in_shape(body, &shape);
        let mut scope = self.new_scope(&shape.columns);
        let ids: Vec<String> = scope.columns.iter().map(|column| column.id.clone()).collect();
        let parts = build::LoopParts { input: start, variable, body, errors: errors.plan, max };
        let plan = build::iterate(parts, &ids, origin);
        for (column, qualifiers) in scope.columns.iter_mut().zip(qualifiers) {
            column.qualifiers = qualifiers;
        }
        scope.head = head;
        streams.push(self.errors_of_loop(&plan, errors.columns));
        let key = shape.key.iter().map(|place| ids[*place].clone()).collect();
        Relation { plan, scope, key, ordering: Vec::new(), retracts: true, errors: streams }
    }

    /// The columns of a table in the order and the types of the loop.
    fn in_shape(&self, relation: Relation, shape: &Shape) -> datafusion_expr::LogicalPlan {
        let columns = shape.columns.iter().map(|(name, ty)| {
            let Some(column) = relation.scope.visible().find(|column| column.name == *name) else {
                unreachable!("the columns were compared")
            };
            let typed = Typed::column(column.id.clone(), column.ty.clone());
            let Some(typed) = functions::coerce(typed, &ty.ty) else {
                unreachable!("only a column of nulls alone changes its type")
            };
            let column = ScopeColumn::new(name.clone(), self.fresh(name), ty.clone());
            (column, typed)
        });
        let columns = columns.collect();
        self.project(relation, columns, Origin::default()).plan
    }

    /// Rows for which no table can be told.
    fn unsettled(&self, variable: &Arc<str>, shape: &Shape) -> ErrorStream {
        let columns: Vec<TableColumn> = shape
            .columns
            .iter()
            .map(|(name, ty)| TableColumn::new(name.clone(), self.fresh(name), ty.clone()))
            .collect();
        let (error, step) = (self.fresh("_error"), self.fresh("_step"));
        let mut typed: Vec<(String, Type)> = columns.iter().map(|c| (c.id.clone(), c.ty.ty.clone())).collect();
        typed.extend([&error, &step].map(|id| (id.clone(), Type::Text)));
        ErrorStream { plan: build::variable(variable, Role::Unsettled, &typed), columns, error, step, late: false }
    }

    /// The errors of the loop as those of one step.
    fn errors_of_loop(&self, plan: &datafusion_expr::LogicalPlan, columns: Vec<TableColumn>) -> ErrorStream {
        let ids: Vec<String> = columns.iter().map(|column| self.fresh(&column.name)).collect();
        let plan = build::errors(plan, &ids);
        let mut columns: Vec<TableColumn> =
            columns.into_iter().zip(ids).map(|(column, id)| TableColumn { id, ..column }).collect();
        let (Some(step), Some(error)) = (columns.pop(), columns.pop()) else {
            unreachable!("errors end with message and step")
        };
        ErrorStream { plan, columns, error: error.id, step: step.id, late: false }
    }
}

/// How a column keeps its type.
fn convert(name: &str, before: &Type, after: &Type) -> String {
    let name = quoted(name);
    let word = |ty: &Type| {
        let text = ty.to_string();
        text.split('(').next().unwrap_or(&text).to_string()
    };
    format!(
        "convert it at the end of the body, `| derive {name}: {}({name})`, or before the loop, `| derive {name}: {}({name})`",
        word(before),
        word(after)
    )
}
