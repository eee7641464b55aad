//! Sources that can read less are asked for what the plan needs: the columns that somebody reads, and the rows that
//! pass the filters which all readers begin with.
//!
//! The filters stay where they are, so a source may take the predicates as lightly as it likes. Columns that nobody
//! reads are gone from the source's rows, and the linear steps above read the others by their new places. A step whose
//! errors are read needs every column, since an error shows the row that failed.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion_common::ScalarValue;
use datafusion_expr::Operator as Sign;
use datafusion_physical_expr::expressions::{
    BinaryExpr, Column, InListExpr, IsNotNullExpr, IsNullExpr, Literal, NotExpr,
};
use datafusion_physical_expr::{PhysicalExpr, split_conjunction};
use tidebook_plan::flow::Stage;
use tidebook_plan::{Comparison, FlowExpr, FlowPlan, NodeId, Operator, Predicate, Selection, Test};

use super::rebuild::Rebuild;
use super::{count_columns, renumber};

/// The rule.
pub fn select(plan: &FlowPlan) -> FlowPlan {
    let selected: Vec<Option<Selection>> = (0..plan.nodes.len()).map(|id| selection(plan, id)).collect();
    if selected.iter().all(Option::is_none) {
        return plan.clone();
    }
    Rebuild::new(plan).finish(move |rebuild, id| write(rebuild, id, &selected))
}

fn write(rebuild: &mut Rebuild<'_>, id: NodeId, selected: &[Option<Selection>]) -> NodeId {
    let again = |rebuild: &mut Rebuild<'_>, id| write(rebuild, id, selected);
    let old = rebuild.old;
    let node = &old.nodes[id];
    match (&node.operator, &selected[id]) {
        (Operator::Get { source }, Some(selection)) => {
            let mut source = source.as_ref().clone();
            source.selection = selection.clone();
            let types: Vec<DataType> = match &selection.columns {
                Some(columns) => columns.iter().map(|column| node.schema.field(*column).data_type().clone()).collect(),
                None => node.schema.fields().iter().map(|field| field.data_type().clone()).collect(),
            };
            rebuild.new.add(Operator::Get { source: Arc::new(source) }, types, node.span, node.step.as_str())
        }
        (Operator::Linear { input, stages }, _) => {
            let columns = selected[*input].as_ref().and_then(|selection| selection.columns.as_ref());
            let Some(columns) = columns else { return rebuild.copy(id, &again) };
            let stages = moved(stages, columns);
            let input = rebuild.place(*input, &again);
            rebuild.add(id, Operator::Linear { input, stages })
        }
        _ => rebuild.copy(id, &again),
    }
}

/// The stages over an input that has only these of its columns.
fn moved(stages: &[Stage], columns: &[usize]) -> Vec<Stage> {
    // Only columns that are read are asked for, and those that are read are among the selected ones.
    let place = |from: usize| columns.iter().position(|column| *column == from).unwrap_or(from);
    let mut projected = false;
    let moved = stages.iter().map(|stage| match stage {
        stage if projected => stage.clone(),
        Stage::Filter(expr) => Stage::Filter(renumber(expr, place)),
        Stage::Project(exprs) => {
            projected = true;
            Stage::Project(exprs.iter().map(|expr| renumber(expr, place)).collect())
        }
    });
    moved.collect()
}

/// What the plan needs of the node, if it is a source that can read less and less is needed.
fn selection(plan: &FlowPlan, id: NodeId) -> Option<Selection> {
    let Operator::Get { source } = &plan.nodes[id].operator else { return None };
    if !source.selection.allowed || !source.selection.is_everything() {
        return None;
    }
    let types: Vec<&DataType> = plan.nodes[id].schema.fields().iter().map(|field| field.data_type()).collect();
    let mut columns: BTreeSet<usize> = BTreeSet::new();
    let mut common: Option<Vec<Predicate>> = None;
    if plan.outputs.contains(&id) {
        return None;
    }
    for (reader, node) in plan.nodes.iter().enumerate() {
        match &node.operator {
            Operator::Errors { .. } => {}
            Operator::Linear { input, stages } if *input == id => {
                let needs = Needs::of(stages, &types, shows_errors(plan, reader));
                columns.extend(needs.columns);
                common = Some(match common {
                    None => needs.predicates,
                    Some(common) => common.into_iter().filter(|one| needs.predicates.contains(one)).collect(),
                });
            }
            operator if operator.inputs().contains(&id) => return None,
            _ => {}
        }
    }
    // Where only errors are read, everything is looked at.
    let predicates = common?;
    let columns = (columns.len() < types.len()).then(|| columns.into_iter().collect());
    let selection = Selection { allowed: true, columns, predicates };
    (!selection.is_everything()).then_some(selection)
}

/// True if somebody reads the errors of the node.
fn shows_errors(plan: &FlowPlan, id: NodeId) -> bool {
    plan.nodes.iter().any(|node| matches!(node.operator, Operator::Errors { of } if of == id))
}

/// What linear stages need of their input.
struct Needs {
    columns: BTreeSet<usize>,
    /// Conditions that a row has to meet for anything to come of it.
    predicates: Vec<Predicate>,
}

impl Needs {
    fn of(stages: &[Stage], types: &[&DataType], shows_errors: bool) -> Needs {
        let mut needs = Needs { columns: BTreeSet::new(), predicates: Vec::new() };
        let all = || (0..types.len()).collect();
        // A row that a later filter refuses may fail before.
        let fallible = stages.first().is_some_and(Stage::is_fallible);
        if fallible && shows_errors {
            needs.columns = all();
        }
        for stage in stages {
            match stage {
                Stage::Filter(expr) => {
                    needs.read(expr, types.len());
                    if !fallible {
                        let conjuncts = split_conjunction(&expr.physical);
                        needs.predicates.extend(conjuncts.into_iter().filter_map(|part| predicate(part, types)));
                    }
                }
                Stage::Project(exprs) => {
                    exprs.iter().for_each(|expr| needs.read(expr, types.len()));
                    return needs;
                }
            }
        }
        needs.columns = all();
        needs
    }

    fn read(&mut self, expr: &FlowExpr, width: usize) {
        let mut counts = vec![0; width];
        count_columns(expr, &mut counts);
        self.columns.extend(counts.iter().enumerate().filter(|(_, count)| **count > 0).map(|(column, _)| column));
    }
}

/// The condition on one column that an expression is, if it is one.
fn predicate(expr: &Arc<dyn PhysicalExpr>, types: &[&DataType]) -> Option<Predicate> {
    let expr = expr.as_ref();
    let truth = |field: usize, value: bool| Predicate {
        field,
        test: Test::Is(Comparison::Equal, ScalarValue::Boolean(Some(value))),
    };
    if let Some(field) = column(expr) {
        return Some(truth(field, true));
    }
    if let Some(not) = expr.downcast_ref::<NotExpr>() {
        return Some(truth(column(not.arg().as_ref())?, false));
    }
    if let Some(null) = expr.downcast_ref::<IsNullExpr>() {
        return Some(Predicate { field: column(null.arg().as_ref())?, test: Test::Null });
    }
    if let Some(present) = expr.downcast_ref::<IsNotNullExpr>() {
        return Some(Predicate { field: column(present.arg().as_ref())?, test: Test::NotNull });
    }
    if let Some(list) = expr.downcast_ref::<InListExpr>() {
        let field = column(list.expr().as_ref()).filter(|_| !list.negated())?;
        let values = list.list().iter().map(|value| literal(value.as_ref(), types[field]));
        return Some(Predicate { field, test: Test::In(values.collect::<Option<_>>()?) });
    }
    let binary = expr.downcast_ref::<BinaryExpr>()?;
    let comparison = comparison(*binary.op())?;
    let (left, right) = (binary.left().as_ref(), binary.right().as_ref());
    let (field, comparison, value) = match (column(left), column(right)) {
        (Some(field), None) => (field, comparison, literal(right, types[field])?),
        (None, Some(field)) => (field, comparison.exchanged(), literal(left, types[field])?),
        _ => return None,
    };
    Some(Predicate { field, test: Test::Is(comparison, value) })
}

fn column(expr: &dyn PhysicalExpr) -> Option<usize> {
    expr.downcast_ref::<Column>().map(Column::index)
}

/// A value of the column's type that is not null.
fn literal(expr: &dyn PhysicalExpr, ty: &DataType) -> Option<ScalarValue> {
    let value = expr.downcast_ref::<Literal>()?.value();
    (!value.is_null() && value.data_type() == *ty).then(|| value.clone())
}

fn comparison(sign: Sign) -> Option<Comparison> {
    Some(match sign {
        Sign::Eq => Comparison::Equal,
        Sign::NotEq => Comparison::NotEqual,
        Sign::Lt => Comparison::Less,
        Sign::LtEq => Comparison::LessOrEqual,
        Sign::Gt => Comparison::Greater,
        Sign::GtEq => Comparison::GreaterOrEqual,
        _ => return None,
    })
}
