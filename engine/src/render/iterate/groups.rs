//! Operators over groups in a loop: what each gives of a whole group, and how its bytes become columns.

use std::rc::Rc;

use arrow_schema::SchemaRef;
use tidebook_plan::flow::{CollectFunction, FlowNode, Fraction, OrderKey, SumAggregate, WindowCall};
use timely::dataflow::operators::Concat;

use super::super::collect::WholeGroups;
use super::super::grouped::EMPTY_KEY;
use super::super::linear::with_error;
use super::super::quantile::of_groups;
use super::super::reduce::project;
use super::super::top_k::overlap;
use super::super::window::WholePartitions;
use super::arrange::{LoopArrangement, arrange, encode};
use super::part::{Part, Parts, Time};
use super::reduce::{Encoded, always, read, reduce_rows, reduce_sums, sum_rows};
use crate::delta::{Delta, batch_of};
use crate::row::{Codec, Layout};
use crate::sums::{Reader, SlotPlan, Sums};

/// One row for each key that has rows.
pub(super) fn distinct<'scope>(
    parts: Parts<'scope>,
    schema: &SchemaRef,
    keys: &[usize],
    node: &FlowNode,
) -> Parts<'scope> {
    let layout = Layout::by(&(0..keys.len()).collect::<Vec<_>>());
    let codec = || Codec::new(&project(schema, keys), &layout);
    let rows = arrange(encode(parts, Some(keys.to_vec()), codec()), &node.step);
    let there = reduce_rows(
        rows,
        "Distinct",
        Box::new(|_, values, results| {
            if values.iter().any(|(_, count)| *count > 0) {
                results.push((Vec::new(), 1));
            }
        }),
    );
    let (codec, schema) = (codec(), node.schema.clone());
    let logic = move |encoded: Encoded<'_>, rows: &mut Vec<Part>, _: &mut Vec<Part>| {
        let batch = batch_of(&schema, codec.decode_keys(&encoded.keys), encoded.updates.len());
        rows.push(Part::new(batch, encoded.updates));
    };
    read(there.stream, "Decode", Box::new(logic)).0
}

/// Keys and sums, and the keys of groups in which a sum does not fit its type.
pub(super) fn sums<'scope>(
    parts: Parts<'scope>,
    schema: &SchemaRef,
    keys: &[usize],
    aggregates: &[SumAggregate],
    node: &FlowNode,
    install: u64,
) -> (Parts<'scope>, Parts<'scope>) {
    let plan = SlotPlan::new(schema, aggregates);
    let layout = Layout::by(&(0..keys.len()).collect::<Vec<_>>());
    let codec = || Codec::new(&project(schema, keys), &layout);
    let whole = keys.is_empty();
    let scope = parts.scope();
    let mut chunks = sum_rows(parts, schema, keys, codec(), &plan);
    if whole {
        chunks = chunks.concat(always(scope, &[1], install, Sums { rows: 1, slots: Box::default() }));
    }
    let summed = reduce_sums(arrange(chunks, &node.step), "Sums", whole);
    let (codec, reader) = (codec(), Reader::new(schema, aggregates, &plan));
    let (schema, step) = (node.schema.clone(), node.step.clone());
    let logic = move |encoded: Encoded<'_>, rows: &mut Vec<Part>, errors: &mut Vec<Part>| {
        let sums: Vec<Sums> = encoded.values.iter().map(|bytes| Sums::from_bytes(bytes)).collect();
        let faults: Vec<Option<String>> = sums.iter().map(|sums| reader.error(sums)).collect();
        let good = encoded.chosen(|i| faults[i].is_none());
        if !good.updates.is_empty() {
            let mut columns = codec.decode_keys(&good.keys);
            let of_good: Vec<&Sums> =
                sums.iter().zip(&faults).filter(|(_, fault)| fault.is_none()).map(|(sums, _)| sums).collect();
            columns.extend(reader.columns(&of_good));
            rows.push(Part::new(batch_of(&schema, columns, good.updates.len()), good.updates));
        }
        let failed = encoded.chosen(|i| faults[i].is_some());
        if !failed.updates.is_empty() {
            let messages: Vec<&str> = faults.iter().flatten().map(String::as_str).collect();
            let batch = with_error(codec.decode_keys(&failed.keys), messages.into_iter(), &step);
            errors.push(Part::new(batch, failed.updates));
        }
    };
    read(summed.stream, "Results", Box::new(logic))
}

/// Rows `offset..offset + limit` of each group.
pub(super) fn top_k<'scope>(
    rows: LoopArrangement<'scope, i64>,
    codec: Rc<Codec>,
    offset: u64,
    limit: u64,
) -> Parts<'scope> {
    let end = offset.saturating_add(limit);
    let firsts = reduce_rows(
        rows,
        "Top-k",
        Box::new(move |_, values, results| {
            let mut position = 0;
            for (value, count) in values {
                match overlap(&mut position, *count, offset, end) {
                    0 if position >= end => break,
                    0 => {}
                    kept => results.push((value.to_vec(), kept)),
                }
            }
        }),
    );
    decoded(firsts, codec)
}

/// Rows whose key stands once, and as errors those whose key stands more often.
pub(super) fn unique<'scope>(
    rows: LoopArrangement<'scope, i64>,
    codec: Rc<Codec>,
    step: &str,
) -> (Parts<'scope>, Parts<'scope>) {
    const GOOD: u8 = 0;
    let told = reduce_rows(
        rows,
        "Unique",
        Box::new(|_, values, results| {
            let once = values.iter().map(|(_, count)| count).sum::<i64>() == 1;
            for (value, count) in values {
                results.push(([&[u8::from(!once)], *value].concat(), *count));
            }
        }),
    );
    let step = step.to_string();
    let logic = move |encoded: Encoded<'_>, rows: &mut Vec<Part>, errors: &mut Vec<Part>| {
        let (good, failed) =
            (encoded.chosen(|i| encoded.values[i][0] == GOOD), encoded.chosen(|i| encoded.values[i][0] != GOOD));
        let values = |rows: &Encoded<'_>| rows.values.iter().map(|value| value[1..].to_vec()).collect::<Vec<_>>();
        let columns = |rows: &Encoded<'_>| {
            let values = values(rows);
            codec.decode(&rows.keys, &values.iter().map(Vec::as_slice).collect::<Vec<_>>())
        };
        if !good.updates.is_empty() {
            rows.push(Part::new(columns(&good), good.updates));
        }
        if !failed.updates.is_empty() {
            let messages = vec!["the key stands more than once"; failed.updates.len()];
            let batch = with_error(columns(&failed).columns().to_vec(), messages.into_iter(), &step);
            errors.push(Part::new(batch, failed.updates));
        }
    };
    read(told.stream, "Decode", Box::new(logic))
}

/// Each key of an arrangement once, if it has rows.
pub(super) fn keys<'scope>(rows: LoopArrangement<'scope, i64>) -> LoopArrangement<'scope, i64> {
    reduce_rows(
        rows,
        "Keys",
        Box::new(|_, values, results| {
            if values.iter().any(|(_, count)| *count > 0) {
                results.push((Vec::new(), 1));
            }
        }),
    )
}

/// The rows of an arrangement.
pub(super) fn decoded<'scope>(rows: LoopArrangement<'scope, i64>, codec: Rc<Codec>) -> Parts<'scope> {
    let logic = move |encoded: Encoded<'_>, rows: &mut Vec<Part>, _: &mut Vec<Part>| {
        rows.push(Part::new(codec.decode(&encoded.keys, &encoded.values), encoded.updates));
    };
    read(rows.stream, "Decode", Box::new(logic)).0
}

/// Puts the values of groups together.
pub(super) fn collect<'scope>(
    rows: LoopArrangement<'scope, i64>,
    codec: Codec,
    value: usize,
    functions: &[CollectFunction],
    node: &FlowNode,
) -> (Parts<'scope>, Parts<'scope>) {
    let groups = WholeGroups::new(codec, value, functions, node);
    let logic = move |encoded: Encoded<'_>, rows: &mut Vec<Part>, errors: &mut Vec<Part>| {
        // The number of a group stands for its difference.
        let numbered = (0i64..).zip(encoded.keys.iter().zip(&encoded.values));
        let (good, failed) = groups.write(numbered.map(|(i, (key, group))| (*key, i, unpacked(group))));
        rows.extend(good.iter().map(|delta| renumbered(delta, &encoded.updates)));
        errors.extend(failed.iter().map(|delta| renumbered(delta, &encoded.updates)));
    };
    read(whole_groups(rows).stream, "Collect", Box::new(logic))
}

/// Quantiles of groups.
pub(super) fn quantile<'scope>(
    rows: LoopArrangement<'scope, i64>,
    codec: Codec,
    fractions: &[Fraction],
    node: &FlowNode,
) -> Parts<'scope> {
    let (fractions, schema) = (fractions.to_vec(), node.schema.clone());
    let logic = move |encoded: Encoded<'_>, rows: &mut Vec<Part>, _: &mut Vec<Part>| {
        let groups = encoded.keys.iter().zip(&encoded.values).map(|(key, group)| (*key, unpacked(group)));
        rows.push(Part::new(of_groups(groups, &codec, &fractions, &schema), encoded.updates));
    };
    read(whole_groups(rows).stream, "Quantile", Box::new(logic)).0
}

/// What rows are told of those around them.
pub(super) fn window<'scope>(
    rows: LoopArrangement<'scope, i64>,
    codec: Codec,
    schema: &SchemaRef,
    (order, calls): (&[OrderKey], &[WindowCall]),
    node: &FlowNode,
) -> (Parts<'scope>, Parts<'scope>) {
    let partitions = WholePartitions::new(codec, schema, order, calls, node);
    let logic = move |encoded: Encoded<'_>, rows: &mut Vec<Part>, errors: &mut Vec<Part>| {
        // Rows do not tell which partition they are of, so those that came or went alike are looked at together.
        let mut places: Vec<usize> = (0..encoded.updates.len()).collect();
        places.sort_by(|a, b| encoded.updates[*a].cmp(&encoded.updates[*b]));
        for run in places.chunk_by(|a, b| encoded.updates[*a] == encoded.updates[*b]) {
            let (time, times) = &encoded.updates[run[0]];
            let (good, failed) = partitions.write(run.iter().map(|i| (encoded.keys[*i], unpacked(encoded.values[*i]))));
            let part = |delta: Delta| {
                let changes = &delta.changes;
                let updates = (0..changes.len()).map(|i| (time.clone(), changes.diff(i) * times)).collect();
                Part::new(changes.rows.clone(), updates)
            };
            rows.extend(good.into_iter().map(part));
            errors.extend(failed.into_iter().map(part));
        }
    };
    read(whole_groups(rows).stream, "Window", Box::new(logic))
}

/// The rows of a delta whose differences number the updates that they stand for.
fn renumbered(delta: &Delta, updates: &[(Time, i64)]) -> Part {
    let changes = &delta.changes;
    let updates = (0..changes.len()).map(|i| updates[changes.diff(i) as usize].clone()).collect();
    Part::new(changes.rows.clone(), updates)
}

/// One result for each group: all its values.
fn whole_groups(rows: LoopArrangement<'_, i64>) -> LoopArrangement<'_, i64> {
    reduce_rows(
        rows,
        "Groups",
        Box::new(|key, values, results| {
            let mut packed = Vec::new();
            for (value, count) in values.iter().filter(|(_, count)| *count > 0) {
                packed.extend((value.len() as u64).to_le_bytes());
                packed.extend(*value);
                packed.extend(count.to_le_bytes());
            }
            if !packed.is_empty() || key == EMPTY_KEY {
                results.push((packed, 1));
            }
        }),
    )
}

/// The values of a packed group. The empty one, which keeps the empty key there, is none.
fn unpacked(mut group: &[u8]) -> Vec<(&[u8], i64)> {
    let mut values = Vec::new();
    while let Some((length, rest)) = group.split_first_chunk::<8>() {
        let (value, rest) = rest.split_at(u64::from_le_bytes(*length) as usize);
        let Some((count, rest)) = rest.split_first_chunk::<8>() else { unreachable!("a count follows each value") };
        if !value.is_empty() {
            values.push((value, i64::from_le_bytes(*count)));
        }
        group = rest;
    }
    values
}
