//! Flow plans as text, for explanations and tests.

use std::fmt;

use super::{FlowPlan, Operator, OrderKey, Stage, SumAggregate};

impl fmt::Display for FlowPlan {
    /// One line a node, ` %3 = join inner %1 %2 on [0] = [0]  # text`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt_plan(self, f, 0)
    }
}

/// A plan with each line so many places to the right.
fn fmt_plan(plan: &FlowPlan, f: &mut fmt::Formatter<'_>, indent: usize) -> fmt::Result {
    for (id, node) in plan.nodes.iter().enumerate() {
        write!(f, "{:indent$}%{id} = {}", "", node.operator.name())?;
        for input in node.operator.inputs() {
            write!(f, " %{input}")?;
        }
        match &node.operator {
            Operator::Get { source } => {
                write!(f, " {}{}", source.connector, source.selection.explain(&source.columns()))?;
            }
            Operator::Constant { steps, .. } => write!(f, " {} step(s)", steps.len())?,
            Operator::Linear { stages, .. } => {
                for stage in stages {
                    match stage {
                        Stage::Filter(expr) => write!(f, " filter({})", expr.physical)?,
                        Stage::Project(exprs) => {
                            let list: Vec<_> = exprs.iter().map(|e| e.physical.to_string()).collect();
                            write!(f, " project({})", list.join(", "))?;
                        }
                    }
                }
            }
            Operator::Join { kind, left_keys, right_keys, .. } => {
                write!(f, " {} on {left_keys:?} = {right_keys:?}", format!("{kind:?}").to_lowercase())?;
            }
            Operator::Reduce { keys, aggregates, .. } => {
                write!(f, " by {keys:?}")?;
                fmt_aggregates(f, aggregates)?;
            }
            Operator::ReduceJoin { left_keys, right_keys, keys, aggregates, .. } => {
                write!(f, " on {left_keys:?} = {right_keys:?} by {keys:?}")?;
                fmt_aggregates(f, aggregates)?;
            }
            Operator::TopK { group, order, offset, limit, .. } => {
                write!(f, " {limit} by [{}] per {group:?}", order_text(order))?;
                if *offset > 0 {
                    write!(f, " after {offset}")?;
                }
            }
            Operator::Collect { keys, value, order, functions, .. } => {
                write!(f, " by {keys:?}")?;
                for function in functions {
                    write!(f, " {function}({value})")?;
                }
                if !order.is_empty() {
                    write!(f, " sort [{}]", order_text(order))?;
                }
            }
            Operator::Quantile { keys, value, fractions, .. } => {
                write!(f, " by {keys:?}")?;
                for fraction in fractions {
                    write!(f, " {fraction:?}({value})")?;
                }
            }
            Operator::Window { partition, order, functions, .. } => {
                write!(f, " by {partition:?} sort [{}]", order_text(order))?;
                for call in functions {
                    write!(f, " {}", call.function)?;
                }
            }
            Operator::Union { inputs } => {
                let minus: Vec<_> = inputs.iter().filter(|(_, n)| *n).map(|(i, _)| format!("%{i}")).collect();
                if !minus.is_empty() {
                    write!(f, " negated: {}", minus.join(", "))?;
                }
            }
            Operator::Unique { keys, .. } => write!(f, " key {keys:?}")?,
            Operator::Sessions { keys, time, gap, .. } => write!(f, " by {keys:?} of {time} gap {gap} µs")?,
            Operator::Match { partition, order, pattern, .. } => {
                write!(f, " by {partition:?} sort [{}]{pattern}", order_text(order))?;
            }
            Operator::Asof { left_keys, right_keys, left_time, right_time, choice, outer, .. } => {
                let outer = if *outer { "left" } else { "inner" };
                write!(f, " {outer} on {left_keys:?} = {right_keys:?} and {right_time} {} {left_time}", choice.sign())?;
            }
            Operator::Flatten { column, .. } => write!(f, " {column}")?,
            Operator::Dedupe { keys, condition, .. } => write!(f, " key {keys:?} when {}", condition.physical)?,
            Operator::Hold { history, .. } | Operator::Held { history } => write!(f, " {}", history.0)?,
            Operator::Iterate { max, .. } => {
                if let Some(max) = max {
                    write!(f, " max {max}")?;
                }
            }
            Operator::Given { index } => write!(f, " {index}")?,
            Operator::Watermark { inputs } => {
                for input in inputs {
                    write!(f, " {} delay {} idle {}", input.column, micros(input.delay), micros(input.idle))?;
                }
            }
            Operator::Gate { closes, late, gate, .. } => {
                write!(f, " {} by {closes} late {}", gate.name(), micros(*late))?;
            }
            Operator::Throttle { every, .. } => write!(f, " every {}", micros(*every as i64))?,
            Operator::Errors { .. } | Operator::Changes { .. } | Operator::Balance { .. } | Operator::Unsettled => {}
        }
        let types: Vec<_> = node.schema.fields().iter().map(|field| field.data_type().to_string()).collect();
        writeln!(f, " : ({})", types.join(", "))?;
        if let Operator::Iterate { body, .. } = &node.operator {
            fmt_plan(body, f, indent + 4)?;
            writeln!(f)?;
        }
    }
    let outputs: Vec<_> = plan.outputs.iter().map(|id| format!("%{id}")).collect();
    write!(f, "{:indent$}output {}", "", outputs.join(", "))
}

impl FlowPlan {
    /// For each node the line that explanations have of it.
    pub fn lines(&self) -> Vec<String> {
        let text = self.to_string();
        let mut lines = text.lines();
        let begins = |id: usize| format!("%{id} = ");
        (0..self.nodes.len())
            .map(|id| lines.find(|line| line.starts_with(&begins(id))).unwrap_or_default().to_string())
            .collect()
    }
}

/// `5s`, `250ms`, `7us`
fn micros(distance: i64) -> String {
    match distance {
        whole if whole % 1_000_000 == 0 => format!("{}s", whole / 1_000_000),
        whole if whole % 1_000 == 0 => format!("{}ms", whole / 1_000),
        rest => format!("{rest}us"),
    }
}

/// `0, 2 desc`
pub(super) fn order_text(order: &[OrderKey]) -> String {
    let list = order.iter().map(|key| format!("{}{}", key.column, if key.descending { " desc" } else { "" }));
    list.collect::<Vec<_>>().join(", ")
}

fn fmt_aggregates(f: &mut fmt::Formatter<'_>, aggregates: &[SumAggregate]) -> fmt::Result {
    for aggregate in aggregates {
        f.write_str(" ")?;
        fmt_aggregate(f, aggregate)?;
    }
    Ok(())
}

/// `sum(3) where 4`
pub(super) fn fmt_aggregate(f: &mut fmt::Formatter<'_>, aggregate: &SumAggregate) -> fmt::Result {
    let input = aggregate.input.map_or("*".to_string(), |column| column.to_string());
    write!(f, "{}({input})", format!("{:?}", aggregate.function).to_lowercase())?;
    if let Some(filter) = aggregate.filter {
        write!(f, " where {filter}")?;
    }
    Ok(())
}
