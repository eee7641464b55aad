//! What each logical node becomes.

use std::collections::HashMap;

use arrow::datatypes::{DataType, Field};
use datafusion_common::{Column, DFSchema};
use datafusion_expr::{Expr, Extension, LogicalPlan};
use tidebook_plan::flow::{FlowBuilder, Operator, OrderKey, Stage};
use tidebook_plan::{FlowExpr, NodeId, Span};

use super::expression::Compiler;
use super::history::{Leaf, lower_opaque};
use super::{LowerError, Lowering, closing, iterate, join, pattern, summarize, time, window};
use crate::logical::{
    Asof, Balance, Changes, Checked, CheckedStep, Constant, Dedupe, Flatten, Gated, Iterate, MatchRows, Opaque, Origin,
    Sessions, SignedUnion, SourceScan, StepErrors, Summarize, Throttled, TopK, Unique, Variable, Window,
};

/// The nodes that a plan became.
#[derive(Clone, Debug)]
pub struct Lowered {
    /// Its rows.
    pub rows: NodeId,
    /// The nodes whose errors, together, are those of the plan's topmost step.
    pub errors: Vec<NodeId>,
    /// The errors of the plan's topmost step as rows, where they are rows of another node.
    pub error_rows: Option<NodeId>,
}

impl Lowered {
    /// Without errors.
    pub fn infallible(rows: NodeId) -> Self {
        Lowered { rows, errors: Vec::new(), error_rows: None }
    }

    /// With the errors of the node itself.
    pub fn checked(rows: NodeId) -> Self {
        Lowered { errors: vec![rows], ..Lowered::infallible(rows) }
    }
}

/// The types of a plan's columns.
pub fn types(plan: &LogicalPlan) -> Vec<DataType> {
    plan.schema().fields().iter().map(|field| field.data_type().clone()).collect()
}

/// How a plan's topmost node is called in errors.
pub fn label(plan: &LogicalPlan) -> String {
    plan.display().to_string()
}

/// Position of the column `name` of `schema`, read by `node`.
pub fn place(schema: &DFSchema, name: &str, node: &str) -> Result<usize, LowerError> {
    schema
        .maybe_index_of_column(&Column::new_unqualified(name))
        .ok_or_else(|| LowerError::UnknownColumn { node: node.to_string(), column: name.to_string() })
}

/// Positions of several columns.
pub fn places(schema: &DFSchema, names: &[String], node: &str) -> Result<Vec<usize>, LowerError> {
    names.iter().map(|name| place(schema, name, node)).collect()
}

/// Adds `plan` to the flow plan.
pub fn lower_plan(builder: &mut Lowering, plan: &LogicalPlan) -> Result<Lowered, LowerError> {
    if iterate::stands_outside(builder, plan) {
        return iterate::lower_outside(builder, plan);
    }
    match plan {
        LogicalPlan::Projection(projection) => {
            let input = lower_plan(builder, &projection.input)?.rows;
            let stage = project(projection.input.schema(), &projection.expr)?;
            infallible(&stage, plan)?;
            Ok(Lowered::infallible(linear(builder, input, stage, types(plan), Span::default(), "")))
        }
        LogicalPlan::Filter(filter) => {
            let input = lower_plan(builder, &filter.input)?.rows;
            let (predicate, _) = Compiler::new(filter.input.schema())?.compile(&filter.predicate)?;
            let stage = Stage::Filter(predicate);
            infallible(&stage, plan)?;
            Ok(Lowered::infallible(linear(builder, input, stage, types(plan), Span::default(), "")))
        }
        LogicalPlan::Join(node) => Ok(Lowered::infallible(join::lower_join(builder, node, plan)?)),
        LogicalPlan::Union(union) => {
            let inputs = union.inputs.iter().map(|input| Ok((lower_plan(builder, input)?.rows, false)));
            let inputs = inputs.collect::<Result<Vec<_>, LowerError>>()?;
            Ok(Lowered::infallible(builder.add(Operator::Union { inputs }, types(plan), Span::default(), "union")))
        }
        LogicalPlan::Extension(extension) => lower_extension(builder, extension, plan),
        other => Err(LowerError::Unsupported { node: label(other) }),
    }
}

fn lower_extension(builder: &mut Lowering, node: &Extension, plan: &LogicalPlan) -> Result<Lowered, LowerError> {
    let any = node.node.as_any();
    if let Some(scan) = any.downcast_ref::<SourceScan>() {
        let operator = Operator::Get { source: scan.source.clone() };
        return Ok(Lowered::checked(add(builder, operator, types(plan), &scan.origin)));
    }
    if let Some(constant) = any.downcast_ref::<Constant>() {
        let operator = Operator::Constant { steps: constant.steps.clone(), digest: constant.digest };
        return Ok(Lowered::checked(add(builder, operator, types(plan), &constant.origin)));
    }
    if let Some(step) = any.downcast_ref::<CheckedStep>() {
        let input = lower_plan(builder, &step.input)?.rows;
        let stage = match &step.kind {
            Checked::Filter(predicate) => Stage::Filter(Compiler::new(step.input.schema())?.compile(predicate)?.0),
            Checked::Project(exprs) => project(step.input.schema(), exprs)?,
        };
        let Origin { span, step: text } = &step.origin;
        return Ok(Lowered::checked(linear(builder, input, stage, types(plan), *span, text)));
    }
    if let Some(errors) = any.downcast_ref::<StepErrors>() {
        let no_errors = || LowerError::NoErrors { node: label(&errors.of) };
        if let LogicalPlan::Extension(Extension { node }) = &errors.of
            && let Some(opaque) = node.as_any().downcast_ref::<Opaque>()
            && let Leaf::Held { errors, .. } = lower_opaque(builder, opaque)?
        {
            return Ok(Lowered::infallible(errors.ok_or_else(no_errors)?));
        }
        let of = lower_plan(builder, &errors.of)?;
        if let Some(rows) = of.error_rows {
            return Ok(Lowered::infallible(rows));
        }
        let rows = errors_of(builder, &of.errors, &types(plan)).ok_or_else(no_errors)?;
        return Ok(Lowered::infallible(rows));
    }
    if let Some(summarize) = any.downcast_ref::<Summarize>() {
        return summarize::lower_summarize(builder, summarize, plan);
    }
    if let Some(top) = any.downcast_ref::<TopK>() {
        let input = lower_plan(builder, &top.input)?.rows;
        let (schema, node) = (top.input.schema(), label(plan));
        let group = places(schema, &top.group, &node)?;
        let order = top
            .order
            .iter()
            .map(|sort| Ok(OrderKey { column: place(schema, &sort.column, &node)?, descending: sort.descending }));
        let order = order.collect::<Result<Vec<_>, LowerError>>()?;
        let operator = Operator::TopK { input, group, order, offset: top.offset, limit: top.limit };
        return Ok(Lowered::infallible(add(builder, operator, types(plan), &top.origin)));
    }
    if let Some(node) = any.downcast_ref::<Window>() {
        return window::lower_window(builder, node, plan);
    }
    if let Some(rows) = any.downcast_ref::<MatchRows>() {
        return pattern::lower_match(builder, rows, plan);
    }
    if let Some(sessions) = any.downcast_ref::<Sessions>() {
        return time::lower_sessions(builder, sessions, plan);
    }
    if let Some(asof) = any.downcast_ref::<Asof>() {
        return time::lower_asof(builder, asof, plan);
    }
    if let Some(unique) = any.downcast_ref::<Unique>() {
        let input = lower_plan(builder, &unique.input)?.rows;
        let keys = places(unique.input.schema(), &unique.keys, &label(plan))?;
        return Ok(Lowered::checked(add(builder, Operator::Unique { input, keys }, types(plan), &unique.origin)));
    }
    if let Some(flatten) = any.downcast_ref::<Flatten>() {
        let input = lower_plan(builder, &flatten.input)?.rows;
        let column = place(flatten.input.schema(), &flatten.column, &label(plan))?;
        return Ok(Lowered::infallible(add(
            builder,
            Operator::Flatten { input, column },
            types(plan),
            &flatten.origin,
        )));
    }
    if let Some(dedupe) = any.downcast_ref::<Dedupe>() {
        let input = lower_plan(builder, &dedupe.input)?.rows;
        let keys = places(dedupe.input.schema(), &dedupe.keys, &label(plan))?;
        let condition = pair_condition(dedupe)?;
        let operator = Operator::Dedupe { input, keys, condition };
        return Ok(Lowered::checked(add(builder, operator, types(plan), &dedupe.origin)));
    }
    if let Some(gated) = any.downcast_ref::<Gated>() {
        return closing::lower_gate(builder, gated, plan);
    }
    if let Some(balance) = any.downcast_ref::<Balance>() {
        return closing::lower_balance(builder, balance, plan);
    }
    if let Some(throttled) = any.downcast_ref::<Throttled>() {
        return closing::lower_throttle(builder, throttled, plan);
    }
    if let Some(changes) = any.downcast_ref::<Changes>() {
        let input = lower_plan(builder, &changes.input)?.rows;
        return Ok(Lowered::infallible(add(builder, Operator::Changes { input }, types(plan), &changes.origin)));
    }
    if let Some(node) = any.downcast_ref::<Iterate>() {
        return iterate::lower_iterate(builder, node, plan);
    }
    if let Some(variable) = any.downcast_ref::<Variable>() {
        return iterate::lower_variable(builder, variable, plan);
    }
    if let Some(opaque) = any.downcast_ref::<Opaque>() {
        return Ok(match lower_opaque(builder, opaque)? {
            Leaf::Inlined(lowered) => lowered,
            Leaf::Held { rows, .. } => Lowered::infallible(rows),
        });
    }
    if let Some(union) = any.downcast_ref::<SignedUnion>() {
        let inputs = union.inputs.iter().map(|(input, negated)| Ok((lower_plan(builder, input)?.rows, *negated)));
        let inputs = inputs.collect::<Result<Vec<_>, LowerError>>()?;
        return Ok(Lowered::infallible(builder.add(Operator::Union { inputs }, types(plan), Span::default(), "union")));
    }
    Err(LowerError::Unsupported { node: label(plan) })
}

/// The errors of all these nodes, which have columns of these types; `None` without a node.
pub fn errors_of(builder: &mut FlowBuilder, failing: &[NodeId], types: &[DataType]) -> Option<NodeId> {
    let mut add = |operator| builder.add(operator, types.to_vec(), Span::default(), "errors");
    let parts: Vec<NodeId> = failing.iter().map(|of| add(Operator::Errors { of: *of })).collect();
    match parts[..] {
        [] => None,
        [only] => Some(only),
        _ => Some(add(Operator::Union { inputs: parts.into_iter().map(|part| (part, false)).collect() })),
    }
}

/// Adds an operator in the place of a logical node.
pub fn add(builder: &mut Lowering, operator: Operator, types: Vec<DataType>, origin: &Origin) -> NodeId {
    builder.add(operator, types, origin.span, origin.step.as_str())
}

/// The condition of a dedupe over the columns of the new row, followed by those of the kept one.
fn pair_condition(dedupe: &Dedupe) -> Result<FlowExpr, LowerError> {
    let own = dedupe.input.schema().fields().iter();
    let fields: Vec<Field> = own
        .clone()
        .map(|field| field.as_ref().clone())
        .chain(own.zip(&dedupe.previous).map(|(field, name)| field.as_ref().clone().with_name(name)))
        .collect();
    let both = DFSchema::from_unqualified_fields(fields.into(), HashMap::new())?;
    Ok(Compiler::new(&both)?.compile(&dedupe.condition)?.0)
}

fn project(schema: &DFSchema, exprs: &[Expr]) -> Result<Stage, LowerError> {
    let compiler = Compiler::new(schema)?;
    let exprs = exprs.iter().map(|expr| Ok(compiler.compile(expr)?.0)).collect::<Result<Vec<_>, LowerError>>()?;
    Ok(Stage::Project(exprs))
}

/// Refuses a stage that can fail where there is no checked step.
pub fn infallible(stage: &Stage, plan: &LogicalPlan) -> Result<(), LowerError> {
    if stage.is_fallible() { Err(LowerError::Unchecked { node: label(plan) }) } else { Ok(()) }
}

/// One stage over `input`; none if it would change nothing.
pub fn linear(
    builder: &mut Lowering,
    input: NodeId,
    stage: Stage,
    types: Vec<DataType>,
    span: Span,
    step: &str,
) -> NodeId {
    if let Stage::Project(exprs) = &stage
        && exprs.len() == builder.types(input).len()
        && exprs.iter().enumerate().all(|(place, expr)| super::rules::column(expr) == Some(place))
    {
        return input;
    }
    builder.add(Operator::Linear { input, stages: vec![stage] }, types, span, step)
}
