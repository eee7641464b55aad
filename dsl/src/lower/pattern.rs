//! Event patterns.

use std::collections::HashMap;

use arrow::datatypes::Field;
use datafusion_common::DFSchema;
use datafusion_expr::LogicalPlan;
use tidebook_plan::Operator;
use tidebook_plan::flow::{MatchElement, MatchGive, OrderKey, Pattern};

use super::expression::Compiler;
use super::nodes::{Lowered, add, label, lower_plan, place, places, types};
use super::{LowerError, Lowering};
use crate::logical::{MatchRows, Wanted};

/// Adds the operator that searches for a pattern.
pub fn lower_match(builder: &mut Lowering, rows: &MatchRows, plan: &LogicalPlan) -> Result<Lowered, LowerError> {
    let input = lower_plan(builder, &rows.input)?.rows;
    let (schema, node) = (rows.input.schema(), label(plan));
    let order = rows
        .order
        .iter()
        .map(|sort| Ok(OrderKey { column: place(schema, &sort.column, &node)?, descending: sort.descending }))
        .collect::<Result<Vec<_>, LowerError>>()?;
    let mut fields: Vec<Field> = schema.fields().iter().map(|field| field.as_ref().clone()).collect();
    let mut reads = Vec::new();
    for read in &rows.reads {
        let column = place(schema, &read.column, &node)?;
        fields.push(fields[column].clone().with_name(&read.name));
        reads.push((read.element, column));
    }
    let compiler_schema = DFSchema::from_unqualified_fields(fields.into(), HashMap::new())?;
    let compiler = Compiler::new(&compiler_schema)?;
    let elements = rows.elements.iter().map(|element| {
        let condition = compiler.compile(&element.condition)?.0;
        let names = element.condition.column_refs();
        let alone = rows.reads.iter().all(|read| names.iter().all(|name| name.name != read.name));
        Ok(MatchElement { least: element.least, most: element.most, condition, alone })
    });
    let elements = elements.collect::<Result<Vec<_>, LowerError>>()?;
    let gives = rows.gives.iter().map(|told| {
        let element = told.element;
        Ok(match told.wanted {
            Wanted::Count => MatchGive::Count { element },
            Wanted::Last => MatchGive::Last { element, column: place(schema, &told.column, &node)? },
            Wanted::All => MatchGive::All { element, column: place(schema, &told.column, &node)? },
        })
    });
    let gives = gives.collect::<Result<Vec<_>, LowerError>>()?;
    let within = rows.within.zip(order.first()).map(|(far, key)| (key.column, far));
    let pattern = Pattern { elements, reads, within, gives };
    let is_fallible = pattern.is_fallible();
    let partition = places(schema, &rows.partition, &node)?;
    let operator = Operator::Match { input, partition, order, pattern };
    let id = add(builder, operator, types(plan), &rows.origin);
    Ok(if is_fallible { Lowered::checked(id) } else { Lowered::infallible(id) })
}
