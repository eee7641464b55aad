//! Pipelines: from the head through each step.

use tidebook_plan::Span;

use crate::diagnostics::names;
use crate::logical::Origin;
use crate::resolve::columns::kept;
use crate::resolve::fault::{self, Resolved};
use crate::resolve::relation::Relation;
use crate::resolve::scope::Scope;
use crate::resolve::window::{WindowPlace, Windows};
use crate::resolve::{Reach, Resolver};
use crate::syntax::tree::{OperandTable, Pipeline, Step, StepKind, TableOperand};

impl Resolver<'_> {
    /// The whole pipeline.
    pub(crate) fn pipeline(&self, pipeline: &Pipeline) -> Resolved<Relation> {
        self.steps(pipeline, &pipeline.steps)
    }

    /// The pipeline with only the first of its steps.
    pub(crate) fn steps(&self, pipeline: &Pipeline, steps: &[Step]) -> Resolved<Relation> {
        self.steps_from(self.head(&pipeline.head)?, steps)
    }

    /// The pipeline of a definition. Where its head has no name, as `rows` and `read` have none, its columns go by the
    /// name of the table that is being defined.
    pub(crate) fn defined_pipeline(&self, pipeline: &Pipeline) -> Resolved<Relation> {
        let mut relation = self.head(&pipeline.head)?;
        if let (None, Some(name)) = (&relation.scope.head, self.defining) {
            relation.scope = renamed(relation.scope, name, pipeline.head.span)?;
        }
        self.steps_from(relation, &pipeline.steps)
    }

    fn steps_from(&self, mut relation: Relation, steps: &[Step]) -> Resolved<Relation> {
        for step in steps {
            relation = self.step(relation, step)?;
        }
        Ok(relation)
    }

    fn step(&self, input: Relation, step: &Step) -> Resolved<Relation> {
        self.count_step(step.span)?;
        self.refuse_in_loop(&input, step)?;
        self.bounded(self.apply(input, step)?, step.span)
    }

    fn apply(&self, mut input: Relation, step: &Step) -> Resolved<Relation> {
        match &step.kind {
            StepKind::Where(condition) => {
                let windows = Windows::new(&input);
                let reach = Reach { windows: WindowPlace::Step(&windows), ..Reach::columns(&input.scope) };
                let condition = self.condition(condition, reach)?;
                let own: Vec<_> = input.scope.columns.iter().map(kept).collect();
                let origin = self.origin(step.span);
                let with_windows = self.with_windows(input, windows, &origin);
                let adds = with_windows.scope.columns.len() > own.len();
                let filtered = self.filter(with_windows, condition, origin);
                Ok(if adds { self.project(filtered, own, Origin::default()) } else { filtered })
            }
            StepKind::Select(items) => self.select(input, items, step),
            StepKind::Derive(items) => self.derive(input, items, step),
            StepKind::Drop(columns) => self.drop_columns(input, columns, step),
            StepKind::Rename(renames) => self.rename(input, renames),
            StepKind::Summarize(summarize) => self.summarize(input, summarize, step),
            StepKind::Join(join) => self.join(input, join, step),
            StepKind::Combine { operation, operand } => self.combine(input, *operation, operand, step),
            StepKind::Distinct => self.distinct(input, step),
            StepKind::Update(operand) => self.update(input, operand, step, false),
            StepKind::Patch(operand) => self.update(input, operand, step, true),
            StepKind::Sort(keys) => self.sort(input, keys, step),
            StepKind::Limit(count) => self.limit(input, count, step),
            StepKind::Top(top) => self.top(input, top, step),
            StepKind::Key(columns) => self.key_by(input, columns, step),
            StepKind::Watermark { column, delay, idle } => self.watermark(input, column, delay.as_ref(), idle.as_ref()),
            StepKind::Flatten(item) => self.flatten(input, item, step),
            StepKind::Dedupe { by, rule } => self.dedupe(input, by, rule, step),
            StepKind::Pivot(pivot) => self.pivot(input, pivot, step),
            StepKind::Sample(sample) => self.sample(input, sample, step),
            StepKind::Iterate(iterate) => self.iterate(input, iterate, step),
            StepKind::Match(pattern) => self.match_rows(input, pattern, step),
            StepKind::Search(_) => Err(unavailable("`search`", step)),
            StepKind::Changes => self.changes(input, step),
            StepKind::Plot { .. } => Err(unavailable("`plot`", step)),
            StepKind::Index(_) => Err(unavailable("`index`", step)),
            StepKind::Serve(_) => Err(unavailable("`serve`", step)),
            StepKind::Show { .. } | StepKind::Write(_) => {
                let word = step.keyword.of(self.text);
                input.errors.clear();
                Err(names::MISPLACED_OUTPUT
                    .error(format!("`{word}` is an output: it gives no table to go on with"), step.span)
                    .with_help(format!(
                        "define the table first, then write `name | {word} …` as a statement of its own"
                    ))
                    .into())
            }
        }
    }

    /// The table that a step takes beside its input, addressed by its alias or its own name.
    pub(crate) fn operand(&self, operand: &TableOperand) -> Resolved<Relation> {
        let mut relation = match &operand.table {
            OperandTable::Name(path) => self.table(path)?,
            OperandTable::Pipeline(pipeline) => self.pipeline(pipeline)?,
        };
        if let Some(alias) = &operand.alias {
            relation.scope = renamed(relation.scope, &alias.text, operand.span)?;
        }
        Ok(relation)
    }
}

/// The scope under another table name.
pub(super) fn renamed(mut scope: Scope, alias: &str, span: Span) -> Resolved<Scope> {
    if let Some((first, second)) = scope.twice() {
        return Err(fault::two_columns(first, second, span).into());
    }
    for column in &mut scope.columns {
        column.qualifiers = vec![alias.to_string()];
    }
    scope.head = Some(alias.to_string());
    Ok(scope)
}

fn unavailable(what: &str, step: &Step) -> fault::Fault {
    fault::not_available(what, step.keyword).into()
}
