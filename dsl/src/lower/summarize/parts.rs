//! The aggregates that are no sums.
//!
//! - `min`, `max`, `first` and `last` are the first row of their group in an order, so that a retraction of it finds the
//!   next one without a scan.
//! - `count_distinct` counts the groups of keys and value.
//! - `quantile` reads places of its group in value order.
//! - `list`, `set` and `join` read their group whole; those of one column, filter and order read it once.
//!
//! A row that does not count (its value is null or filtered out) stays as a row of nulls, which go last or are passed
//! over: so a group has its row as long as it has rows at all.

use arrow::datatypes::DataType;
use datafusion_common::{Column, DFSchema};
use datafusion_expr::{Case, Expr};
use tidebook_plan::NodeId;
use tidebook_plan::flow::{CollectFunction, Fraction, Operator, OrderKey, Stage, SumAggregate, SumFunction};

use super::super::expression::Compiler;
use super::super::nodes::{linear, place};
use super::super::{LowerError, Lowering};
use super::{Part, column_expr};
use crate::functions::AggregateFunction;
use crate::logical::{AggregateColumn, Summarize};

/// Parts being added to a plan.
pub(super) struct Parts<'a> {
    builder: &'a mut Lowering,
    summarize: &'a Summarize,
    input: NodeId,
    node: &'a str,
    key_types: Vec<DataType>,
}

/// Aggregates that share a part.
struct Shared<'a, F> {
    like: &'a AggregateColumn,
    functions: Vec<F>,
    aggregates: Vec<usize>,
}

/// Adds an aggregate to those that read the same rows in the same order.
fn share<'a, F: PartialEq>(shared: &mut Vec<Shared<'a, F>>, aggregate: &'a AggregateColumn, function: F, place: usize) {
    let same = |other: &AggregateColumn| {
        (&other.input, &other.filter, &other.order) == (&aggregate.input, &aggregate.filter, &aggregate.order)
    };
    match shared.iter_mut().find(|part| same(part.like)) {
        Some(part) => {
            part.functions.push(function);
            part.aggregates.push(place);
        }
        None => shared.push(Shared { like: aggregate, functions: vec![function], aggregates: vec![place] }),
    }
}

impl<'a> Parts<'a> {
    /// Parts over `input`, for the plan's node called `node`.
    pub fn new(
        builder: &'a mut Lowering,
        summarize: &'a Summarize,
        input: NodeId,
        node: &'a str,
    ) -> Result<Self, LowerError> {
        let schema: &DFSchema = summarize.input.schema();
        let key_types =
            summarize.keys.iter().map(|key| type_of(schema, key, node)).collect::<Result<_, LowerError>>()?;
        Ok(Parts { builder, summarize, input, node, key_types })
    }

    /// All of them; what is wide comes last, so that joins carry it least.
    pub fn lower(mut self) -> Result<Vec<Part>, LowerError> {
        let (mut parts, mut quantiles, mut collects) = (Vec::new(), Vec::new(), Vec::new());
        for (i, aggregate) in self.summarize.aggregates.iter().enumerate() {
            match &aggregate.function {
                AggregateFunction::CountRows
                | AggregateFunction::Count
                | AggregateFunction::Sum
                | AggregateFunction::Avg
                | AggregateFunction::Variance
                | AggregateFunction::StandardDeviation => {}
                AggregateFunction::CountDistinct => parts.push(self.count_distinct(aggregate, i)?),
                AggregateFunction::Min | AggregateFunction::First => parts.push(self.first(aggregate, i, false)?),
                AggregateFunction::Max | AggregateFunction::Last => parts.push(self.first(aggregate, i, true)?),
                AggregateFunction::Quantile(fraction) => share(&mut quantiles, aggregate, *fraction, i),
                AggregateFunction::List => share(&mut collects, aggregate, CollectFunction::List, i),
                AggregateFunction::Set => share(&mut collects, aggregate, CollectFunction::Set, i),
                AggregateFunction::Join(separator) => {
                    share(&mut collects, aggregate, CollectFunction::Join(separator.clone()), i);
                }
            }
        }
        for quantile in quantiles {
            parts.push(self.quantile(quantile)?);
        }
        for collect in collects {
            parts.push(self.collect(collect)?);
        }
        Ok(parts)
    }

    fn keys(&self) -> usize {
        self.key_types.len()
    }

    fn value(&self, aggregate: &'a AggregateColumn) -> Result<(&'a String, DataType), LowerError> {
        let Some(value) = &aggregate.input else {
            return Err(LowerError::Unsupported { node: self.node.to_string() });
        };
        Ok((value, type_of(self.summarize.input.schema(), value, self.node)?))
    }

    /// The keys and then these expressions, which have these types.
    fn narrow(&mut self, exprs: Vec<Expr>, types: Vec<DataType>) -> Result<NodeId, LowerError> {
        let compiler = Compiler::new(self.summarize.input.schema())?;
        let all = self.summarize.keys.iter().map(|key| column(key)).chain(exprs);
        let exprs = all.map(|expr| Ok(compiler.compile(&expr)?.0)).collect::<Result<Vec<_>, LowerError>>()?;
        let columns = self.key_types.iter().cloned().chain(types).collect();
        let origin = &self.summarize.origin;
        Ok(linear(self.builder, self.input, Stage::Project(exprs), columns, origin.span, &origin.step))
    }

    /// An operator that gives the keys and then columns of these types.
    fn add(&mut self, operator: Operator, types: impl IntoIterator<Item = DataType>) -> NodeId {
        let columns = self.key_types.iter().cloned().chain(types).collect();
        let origin = &self.summarize.origin;
        self.builder.add(operator, columns, origin.span, origin.step.as_str())
    }

    fn count_distinct(&mut self, aggregate: &'a AggregateColumn, place: usize) -> Result<Part, LowerError> {
        let (value, ty) = self.value(aggregate)?;
        let input = self.narrow(vec![counted(value, aggregate)], vec![ty.clone()])?;
        let keys = self.keys();
        let once = Operator::Reduce { input, keys: (0..=keys).collect(), aggregates: vec![] };
        let input = self.add(once, [ty]);
        let output = DataType::Int64;
        let count =
            SumAggregate { function: SumFunction::Count, input: Some(keys), filter: None, output: output.clone() };
        let node = self.add(Operator::Reduce { input, keys: (0..keys).collect(), aggregates: vec![count] }, [output]);
        Ok(Part { node, aggregates: vec![place], always: true, fails: false })
    }

    /// The value of the first row by the order and then by the value, or of the last.
    fn first(&mut self, aggregate: &'a AggregateColumn, place: usize, last: bool) -> Result<Part, LowerError> {
        let (value, ty) = self.value(aggregate)?;
        let keys = self.keys();
        let (mut exprs, mut types) = (Vec::new(), vec![ty.clone()]);
        let mut order = Vec::new();
        let value = if aggregate.order.is_empty() {
            counted(value, aggregate)
        } else {
            // A row counts if it has a value and a place in the order.
            let filter = aggregate.filter.iter().map(|filter| column(filter));
            let there = std::iter::once(value).chain(aggregate.order.iter().map(|sort| &sort.column));
            let counts = filter.chain(there.map(|name| Expr::IsNotNull(Box::new(column(name)))));
            let Some(counts) = counts.reduce(Expr::and) else { unreachable!("there is a value") };
            for (i, sort) in aggregate.order.iter().enumerate() {
                exprs.push(only_where(&counts, column(&sort.column)));
                types.push(type_of(self.summarize.input.schema(), &sort.column, self.node)?);
                order.push(OrderKey { column: keys + 1 + i, descending: sort.descending != last });
            }
            only_where(&counts, column(value))
        };
        order.push(OrderKey { column: keys, descending: last });
        if order[0].descending {
            // Nulls are larger than every value, but are no values: they go last here.
            exprs.push(Expr::IsNull(Box::new(value.clone())));
            types.push(DataType::Boolean);
            order.insert(0, OrderKey { column: keys + types.len() - 1, descending: false });
        }
        exprs.insert(0, value);
        let input = self.narrow(exprs, types.clone())?;
        let top = self.add(Operator::TopK { input, group: (0..keys).collect(), order, offset: 0, limit: 1 }, types);
        let columns = self.key_types.iter().cloned().chain([ty]).collect();
        let kept = Stage::Project((0..=keys).map(column_expr).collect());
        let origin = &self.summarize.origin;
        let node = linear(self.builder, top, kept, columns, origin.span, &origin.step);
        Ok(Part { node, aggregates: vec![place], always: false, fails: false })
    }

    fn quantile(&mut self, shared: Shared<'a, Fraction>) -> Result<Part, LowerError> {
        let (value, ty) = self.value(shared.like)?;
        let input = self.narrow(vec![counted(value, shared.like)], vec![ty])?;
        let keys = self.keys();
        let types = self.result_types(&shared.aggregates);
        let operator =
            Operator::Quantile { input, keys: (0..keys).collect(), value: keys, fractions: shared.functions };
        let node = self.add(operator, types);
        Ok(Part { node, aggregates: shared.aggregates, always: true, fails: false })
    }

    fn collect(&mut self, shared: Shared<'a, CollectFunction>) -> Result<Part, LowerError> {
        let (value, ty) = self.value(shared.like)?;
        let keys = self.keys();
        let (mut exprs, mut types) = (vec![counted(value, shared.like)], vec![ty]);
        let mut order = Vec::new();
        for (i, sort) in shared.like.order.iter().enumerate() {
            // Rows that are filtered out are all alike.
            exprs.push(counted(&sort.column, shared.like));
            types.push(type_of(self.summarize.input.schema(), &sort.column, self.node)?);
            order.push(OrderKey { column: keys + 1 + i, descending: sort.descending });
        }
        let input = self.narrow(exprs, types)?;
        let types = self.result_types(&shared.aggregates);
        let operator =
            Operator::Collect { input, keys: (0..keys).collect(), value: keys, order, functions: shared.functions };
        let node = self.add(operator, types);
        Ok(Part { node, aggregates: shared.aggregates, always: true, fails: true })
    }

    fn result_types(&self, aggregates: &[usize]) -> Vec<DataType> {
        let fields = self.summarize.schema.fields();
        aggregates.iter().map(|aggregate| fields[self.keys() + aggregate].data_type().clone()).collect()
    }
}

fn type_of(schema: &DFSchema, name: &str, node: &str) -> Result<DataType, LowerError> {
    Ok(schema.field(place(schema, name, node)?).data_type().clone())
}

fn column(name: &str) -> Expr {
    Expr::Column(Column::new_unqualified(name))
}

/// The column where the aggregate's filter passes a row, else null.
fn counted(name: &str, aggregate: &AggregateColumn) -> Expr {
    match &aggregate.filter {
        Some(filter) => only_where(&column(filter), column(name)),
        None => column(name),
    }
}

fn only_where(condition: &Expr, value: Expr) -> Expr {
    Expr::Case(Case::new(None, vec![(Box::new(condition.clone()), Box::new(value))], None))
}
