//! Which sums a node keeps, and how a batch of rows is added to them.

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, DurationMicrosecondType, Float64Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, BooleanArray, PrimitiveArray, RecordBatch};
use arrow_buffer::i256;
use arrow_schema::{DataType, SchemaRef, TimeUnit};
use tidebook_plan::flow::{SumAggregate, SumFunction};

use super::exact::ExactSum;
use super::moments::Moments;
use super::{FloatSum, Slot, Sums, wide_plus};

/// The kind of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum SlotKind {
    Count,
    Int,
    Wide,
    Float,
    Moments,
}

/// One slot: what is summed over which rows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct SlotSpec {
    pub kind: SlotKind,
    /// `None` counts rows.
    pub input: Option<usize>,
    pub filter: Option<usize>,
}

/// The slots of a node, and where each aggregate finds its value.
#[derive(Clone, Debug)]
pub(crate) struct SlotPlan {
    pub specs: Vec<SlotSpec>,
    /// For each aggregate its slot; `None` for the plain row count.
    pub of_aggregate: Vec<Option<usize>>,
}

impl SlotPlan {
    /// The slots that `aggregates` over rows of `schema` need; aggregates of the same column share one.
    pub fn new(schema: &SchemaRef, aggregates: &[SumAggregate]) -> Self {
        let mut specs: Vec<SlotSpec> = Vec::new();
        let mut of_aggregate = vec![None; aggregates.len()];
        let counts =
            |aggregate: &SumAggregate| matches!(aggregate.function, SumFunction::CountRows | SumFunction::Count);
        let mut order: Vec<usize> = (0..aggregates.len()).collect();
        order.sort_by_key(|i| counts(&aggregates[*i]));
        for i in order {
            let aggregate = &aggregates[i];
            if aggregate.function == SumFunction::CountRows && aggregate.filter.is_none() {
                continue;
            }
            let input = if aggregate.function == SumFunction::CountRows { None } else { aggregate.input };
            let kind = match (aggregate.function, input.map(|column| schema.field(column).data_type())) {
                (SumFunction::CountRows | SumFunction::Count, _) => SlotKind::Count,
                (SumFunction::Variance | SumFunction::StandardDeviation, _) => SlotKind::Moments,
                (_, Some(DataType::Float64)) => SlotKind::Float,
                (_, Some(DataType::Decimal128(_, _))) => SlotKind::Wide,
                (_, Some(DataType::Int64 | DataType::Duration(_) | DataType::Timestamp(_, _))) => SlotKind::Int,
                _ => SlotKind::Count,
            };
            let fits = |spec: &SlotSpec| {
                spec.input == input && spec.filter == aggregate.filter && (spec.kind == kind || kind == SlotKind::Count)
            };
            of_aggregate[i] = Some(specs.iter().position(fits).unwrap_or_else(|| {
                specs.push(SlotSpec { kind, input, filter: aggregate.filter });
                specs.len() - 1
            }));
        }
        SlotPlan { specs, of_aggregate }
    }
}

/// The running values of one slot, one a group.
enum Column {
    Count(Vec<i64>),
    Int(Vec<i64>, Vec<i128>),
    Wide(Vec<i64>, Vec<(u128, i128)>),
    Float(Vec<FloatSum>),
    Moments(Vec<Moments>),
}

/// The running sums of all groups, column by column.
pub(crate) struct Slots {
    rows: Vec<i64>,
    columns: Vec<Column>,
}

impl Slots {
    /// No groups.
    pub fn new(plan: &SlotPlan) -> Self {
        let columns = plan
            .specs
            .iter()
            .map(|spec| match spec.kind {
                SlotKind::Count => Column::Count(Vec::new()),
                SlotKind::Int => Column::Int(Vec::new(), Vec::new()),
                SlotKind::Wide => Column::Wide(Vec::new(), Vec::new()),
                SlotKind::Float => Column::Float(Vec::new()),
                SlotKind::Moments => Column::Moments(Vec::new()),
            })
            .collect();
        Slots { rows: Vec::new(), columns }
    }

    /// Makes room for so many groups.
    pub fn grow(&mut self, groups: usize) {
        self.rows.resize(groups, 0);
        for column in &mut self.columns {
            match column {
                Column::Count(counts) => counts.resize(groups, 0),
                Column::Int(counts, sums) => {
                    counts.resize(groups, 0);
                    sums.resize(groups, 0);
                }
                Column::Wide(counts, sums) => {
                    counts.resize(groups, 0);
                    sums.resize(groups, (0, 0));
                }
                Column::Float(sums) => sums.resize(groups, FloatSum::default()),
                Column::Moments(sums) => sums.resize(groups, Moments::default()),
            }
        }
    }

    /// Adds a batch, whose row `i` belongs to the group `groups[i]`.
    pub fn add(&mut self, plan: &SlotPlan, rows: &RecordBatch, diffs: Option<&[i64]>, groups: &[u32]) {
        match diffs {
            None => groups.iter().for_each(|group| self.rows[*group as usize] += 1),
            Some(diffs) => groups.iter().zip(diffs).for_each(|(group, diff)| self.rows[*group as usize] += diff),
        }
        for (spec, column) in plan.specs.iter().zip(&mut self.columns) {
            let counts = Counted {
                input: spec.input.map(|column| rows.column(column)),
                filter: spec.filter.map(|column| rows.column(column).as_boolean()),
            };
            let rows = Counting { counts: &counts, groups, diffs };
            match column {
                Column::Count(totals) => rows.each(|_, group, diff| totals[group] += diff),
                Column::Int(totals, sums) => {
                    let values = integers(counts.input);
                    rows.each(|i, group, diff| {
                        totals[group] += diff;
                        sums[group] = sums[group].wrapping_add(i128::from(values[i]) * i128::from(diff));
                    });
                }
                Column::Wide(totals, sums) => {
                    let Some(values) = counts.input.and_then(|input| input.as_primitive_opt::<Decimal128Type>()) else {
                        unreachable!("a wide slot sums decimals")
                    };
                    rows.each(|i, group, diff| {
                        totals[group] += diff;
                        let product = i256::from_i128(values.value(i)).wrapping_mul(i256::from_i128(i128::from(diff)));
                        let (low, high) = product.to_parts();
                        sums[group] = wide_plus(sums[group].0, sums[group].1, low, high);
                    });
                }
                Column::Float(sums) => {
                    let Some(values) = counts.input.and_then(|input| input.as_primitive_opt::<Float64Type>()) else {
                        unreachable!("a float slot sums floats")
                    };
                    rows.each(|i, group, diff| sums[group].add(values.value(i), diff));
                }
                Column::Moments(sums) => {
                    let Some(input) = counts.input else { unreachable!("moments have an input") };
                    match input.data_type() {
                        DataType::Float64 => {
                            let values = input.as_primitive::<Float64Type>();
                            rows.each(|i, group, diff| sums[group].add_float(values.value(i), diff));
                        }
                        DataType::Decimal128(_, _) => {
                            let values = input.as_primitive::<Decimal128Type>();
                            rows.each(|i, group, diff| sums[group].add_integer(values.value(i), diff));
                        }
                        _ => {
                            let values = integers(counts.input);
                            rows.each(|i, group, diff| sums[group].add_integer(i128::from(values[i]), diff));
                        }
                    }
                }
            }
        }
    }

    /// Adds sums that were formed before, the `i`th to the group `groups[i]`.
    pub fn merge(&mut self, partial: &[Sums], groups: &[u32]) {
        for (sums, group) in partial.iter().zip(groups) {
            let group = *group as usize;
            self.rows[group] += sums.rows;
            for (slot, column) in sums.slots.iter().zip(&mut self.columns) {
                match (slot, column) {
                    (Slot::Count(count), Column::Count(totals)) => totals[group] += count,
                    (Slot::Int(count, sum), Column::Int(totals, sums)) => {
                        totals[group] += count;
                        sums[group] = sums[group].wrapping_add(*sum);
                    }
                    (Slot::Wide(count, low, high), Column::Wide(totals, sums)) => {
                        totals[group] += count;
                        sums[group] = wide_plus(sums[group].0, sums[group].1, *low, *high);
                    }
                    (Slot::Float(sum), Column::Float(sums)) => sums[group].plus(sum),
                    (Slot::Moments(sum), Column::Moments(sums)) => sums[group].plus(sum),
                    _ => unreachable!("one node's sums have one layout"),
                }
            }
        }
    }

    /// The sums of all groups, in their order; none are left.
    pub fn take(&mut self) -> Vec<Sums> {
        let rows = std::mem::take(&mut self.rows);
        let mut slots: Vec<Vec<Slot>> = rows.iter().map(|_| Vec::with_capacity(self.columns.len())).collect();
        for column in &mut self.columns {
            match column {
                Column::Count(counts) => {
                    counts.drain(..).zip(&mut slots).for_each(|(count, slots)| slots.push(Slot::Count(count)));
                }
                Column::Int(counts, sums) => counts
                    .drain(..)
                    .zip(sums.drain(..))
                    .zip(&mut slots)
                    .for_each(|((count, sum), slots)| slots.push(Slot::Int(count, sum))),
                Column::Wide(counts, sums) => counts
                    .drain(..)
                    .zip(sums.drain(..))
                    .zip(&mut slots)
                    .for_each(|((count, (low, high)), slots)| slots.push(Slot::Wide(count, low, high))),
                Column::Float(sums) => sums.drain(..).zip(&mut slots).for_each(|(mut sum, slots)| {
                    ExactSum::settle(&mut sum.sum);
                    slots.push(Slot::Float(Box::new(sum)));
                }),
                Column::Moments(sums) => sums.drain(..).zip(&mut slots).for_each(|(mut sums, slots)| {
                    sums.settle();
                    slots.push(Slot::Moments(Box::new(sums)));
                }),
            }
        }
        rows.into_iter().zip(slots).map(|(rows, slots)| Sums { rows, slots: slots.into_boxed_slice() }).collect()
    }
}

/// Which rows of a batch count for a slot.
struct Counted<'a> {
    input: Option<&'a ArrayRef>,
    filter: Option<&'a BooleanArray>,
}

/// The rows of a batch that count for a slot, with their groups and differences.
struct Counting<'a> {
    counts: &'a Counted<'a>,
    groups: &'a [u32],
    diffs: Option<&'a [i64]>,
}

impl Counting<'_> {
    /// Calls `add` with each row, its group and its difference.
    #[inline]
    fn each(&self, mut add: impl FnMut(usize, usize, i64)) {
        let groups = self.groups.iter().map(|group| *group as usize).enumerate();
        match (self.counts.all(), self.diffs) {
            (true, None) => groups.for_each(|(i, group)| add(i, group, 1)),
            (all, diffs) => {
                for (i, group) in groups {
                    if all || self.counts.row(i) {
                        add(i, group, diffs.map_or(1, |diffs| diffs[i]));
                    }
                }
            }
        }
    }
}

impl Counted<'_> {
    /// True if every row counts.
    fn all(&self) -> bool {
        let whole = |input: &&ArrayRef| input.null_count() == 0 && !matches!(input.data_type(), DataType::Null);
        self.filter.is_none() && self.input.as_ref().is_none_or(whole)
    }

    #[inline]
    fn row(&self, i: usize) -> bool {
        self.filter.is_none_or(|filter| filter.is_valid(i) && filter.value(i))
            && self.input.is_none_or(|input| !is_null(input, i))
    }
}

/// Null, also where a column has the type of bare nulls, which carries no validity.
#[inline]
fn is_null(array: &ArrayRef, i: usize) -> bool {
    array.is_null(i) || matches!(array.data_type(), DataType::Null)
}

fn integers(input: Option<&ArrayRef>) -> &[i64] {
    let Some(input) = input else { unreachable!("an integer slot has an input") };
    match input.data_type() {
        DataType::Duration(TimeUnit::Microsecond) => {
            let array: &PrimitiveArray<DurationMicrosecondType> = input.as_primitive();
            array.values()
        }
        DataType::Timestamp(TimeUnit::Microsecond, None) => {
            let array: &PrimitiveArray<TimestampMicrosecondType> = input.as_primitive();
            array.values()
        }
        _ => {
            let array: &PrimitiveArray<Int64Type> = input.as_primitive();
            array.values()
        }
    }
}
