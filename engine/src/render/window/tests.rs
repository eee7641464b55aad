//! The operator on batches made by hand: what it reads of a large partition, and that what it says of changes adds up to
//! what it says of the whole.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array};
use arrow_schema::{DataType, SchemaRef};
use datafusion_common::ScalarValue;
use differential_dataflow::batcher::{Batcher, Extract};
use tidebook_plan::ChangeBatch;
use tidebook_plan::flow::{
    CollectFunction, Extent, Frame, SumAggregate, SumFunction, WindowFunction, positional_schema,
};
use timely::progress::Antichain;

use super::*;
use crate::delta::batch_of;
use crate::row::{Batch, ChunkBatcher, Layout};

/// `k, at, v, w`
type Row = [i64; 4];

const ORDER: OrderKey = OrderKey { column: 1, descending: false };

fn schema(results: usize) -> SchemaRef {
    positional_schema(&vec![DataType::Int64; 4 + results])
}

fn codec() -> Codec {
    Codec::new(&schema(0), &Layout { key: vec![0], order: vec![ORDER] })
}

/// `None` where the changes cancel.
fn batch(changes: &[(Row, i64)]) -> Option<Batch<i64>> {
    let column = |i: usize| Arc::new(changes.iter().map(|(row, _)| row[i]).collect::<Int64Array>()) as ArrayRef;
    let rows = batch_of(&schema(0), (0..4).map(column).collect(), changes.len());
    let changes = ChangeBatch::new(rows, changes.iter().map(|(_, diff)| *diff).collect());
    let mut batcher = ChunkBatcher::new();
    batcher.insert(&mut codec().encode(1, &changes, 1));
    let (batch, _) = batcher.extract(Antichain::new().borrow());
    batch.map(Rc::new)
}

/// An operator with what it was given and what it has said.
struct Driven {
    window: Window,
    known: Vec<Batch<i64>>,
    rows: BTreeMap<Vec<Option<i64>>, i64>,
}

impl Driven {
    fn new(calls: &[WindowFunction]) -> Self {
        let calls: Vec<WindowCall> =
            calls.iter().map(|f| WindowCall { function: f.clone(), output: DataType::Int64 }).collect();
        let writer = Writer { schema: schema(calls.len()), step: "derive".to_string() };
        let window = Window::new(codec(), &schema(0), &[ORDER], &calls, writer);
        Driven { window, known: Vec::new(), rows: BTreeMap::new() }
    }

    /// Gives it changes; how many values it reads, and how many rows it changes.
    fn change(&mut self, changes: &[(Row, i64)]) -> (u64, usize) {
        let before = self.window.read;
        let Some(changed) = batch(changes) else { return (0, 0) };
        let (around, storage) = Around::new(self.known.clone(), vec![changed.clone()], 0);
        let (mut rows, mut errors) = (Vec::new(), Vec::new());
        self.window.changes(around, &storage, &mut rows, &mut errors);
        assert!(errors.is_empty());
        let mut count = 0;
        for delta in rows {
            let changes = &delta.changes;
            for i in 0..changes.len() {
                let value = |column: &ArrayRef| match ScalarValue::try_from_array(column, i).expect("a value") {
                    ScalarValue::Int64(value) => value,
                    other => panic!("not an int: {other:?}"),
                };
                let row: Vec<Option<i64>> = changes.rows.columns().iter().map(value).collect();
                let entry = self.rows.entry(row.clone()).or_default();
                *entry += changes.diff(i);
                if *entry == 0 {
                    self.rows.remove(&row);
                }
                count += 1;
            }
        }
        self.known.push(changed);
        (self.window.read - before, count)
    }
}

fn sum(frame: Frame) -> WindowFunction {
    let sum = SumAggregate { function: SumFunction::Sum, input: Some(2), filter: None, output: DataType::Int64 };
    WindowFunction::Sum { sum, frame }
}

fn lag(offset: i64) -> WindowFunction {
    WindowFunction::Neighbour { value: 2, offset, default: None }
}

fn edge(last: bool, frame: Frame) -> WindowFunction {
    WindowFunction::Edge { value: 2, last, frame }
}

fn best(last: bool, frame: Frame) -> WindowFunction {
    WindowFunction::Best { value: 2, order: vec![OrderKey { column: 3, descending: true }], last, frame }
}

fn load(driven: &mut Driven, count: i64) {
    let rows: Vec<(Row, i64)> = (0..count).map(|i| ([1, i * 10, i % 97, 0], 1)).collect();
    driven.change(&rows);
}

#[test]
fn an_append_and_a_change_in_the_middle_read_little_of_a_large_partition() {
    let far = Frame::Range(Extent::Whole(100));
    let mut driven =
        Driven::new(&[lag(-1), lag(3), sum(Frame::Rows(20)), best(true, far), edge(false, Frame::Running)]);
    load(&mut driven, 50_000);
    let few = 4 * APART as u64;
    for (what, changes) in [
        ("an append", vec![([1, 500_000, 7, 0], 1)]),
        ("a late row", vec![([1, 250_005, 7, 0], 1)]),
        ("another value", vec![([1, 300_000, 30_000 % 97, 0], -1), ([1, 300_000, 50, 0], 1)]),
        ("a row that goes", vec![([1, 400_000, 40_000 % 97, 0], -1)]),
    ] {
        let (read, told) = driven.change(&changes);
        assert!(read > 0 && read < few, "{what} reads {read}");
        assert!(told > 0 && told < 100, "{what} changes {told} rows");
    }
}

#[test]
fn an_append_goes_on_with_running_results() {
    let running =
        [sum(Frame::Running), best(false, Frame::Running), WindowFunction::RowNumber, WindowFunction::DenseRank];
    let mut driven = Driven::new(&running);
    load(&mut driven, 50_000);
    let (read, told) = driven.change(&[([1, 500_000, 7, 0], 1)]);
    assert!(read < 2 * APART as u64 + 1, "an append reads {read}");
    assert_eq!(told, 1);
    // All later rows are told of a late one, and none before it.
    let (read, told) = driven.change(&[([1, 400_005, 7, 0], 1)]);
    assert!((10_000..10_000 + 3 * APART as u64).contains(&read), "a late row reads {read}");
    assert_eq!(told, 2 * 10_000 + 1);
}

#[test]
fn changes_of_large_partitions_add_up_to_the_whole() {
    let far = Frame::Range(Extent::Whole(70));
    let distinct = |frame| WindowFunction::CountDistinct { value: 3, frame };
    let sets: Vec<Vec<WindowFunction>> = vec![
        vec![lag(-2), lag(1), edge(true, Frame::Running), sum(Frame::Rows(7))],
        vec![
            sum(Frame::Running),
            WindowFunction::Rank,
            WindowFunction::DenseRank,
            WindowFunction::RowNumber,
            lag(-600),
        ],
        vec![
            best(true, Frame::Running),
            best(false, far),
            edge(false, Frame::Running),
            edge(false, far),
            distinct(far),
        ],
        vec![edge(false, Frame::Running), edge(true, Frame::Rows(3)), lag(700), sum(far)],
        vec![distinct(Frame::Running), sum(Frame::Partition)],
    ];
    for (number, functions) in sets.iter().enumerate() {
        let mut state = 11 + number as u64;
        let mut random = |below: i64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state % below as u64) as i64
        };
        let mut driven = Driven::new(functions);
        let mut present: Vec<Row> = Vec::new();
        for step in 0..24 {
            let mut changes: Vec<(Row, i64)> = Vec::new();
            // Grows, changes, nearly goes.
            let size = if step == 0 { 3_000 } else { [1, 3, 40, 400][random(4) as usize] };
            for _ in 0..size {
                let goes = step > 0 && !present.is_empty() && random(if step > 16 { 6 } else { 2 }) > 0;
                if goes {
                    let at = random(present.len() as i64) as usize;
                    changes.push((present.swap_remove(at), -1));
                } else {
                    // Few of them in other partitions, many peers and duplicates.
                    let row = [random(40) / 39, random(4_000) * 3, random(5), random(3)];
                    present.push(row);
                    changes.push((row, 1));
                }
            }
            if step == 20 {
                changes.extend(present.drain(200.min(present.len())..).map(|row| (row, -1)));
            }
            driven.change(&changes);
            let mut fresh = Driven::new(functions);
            fresh.change(&present.iter().map(|row| (*row, 1)).collect::<Vec<_>>());
            let lacks = |one: &Driven, other: &Driven| {
                let lacks = one.rows.iter().filter(|(row, count)| other.rows.get(*row) != Some(*count));
                lacks.map(|(row, count)| format!("{count} x {row:?}")).collect::<Vec<_>>()
            };
            let (wrong, missing) = (lacks(&driven, &fresh), lacks(&fresh, &driven));
            assert!(
                wrong.is_empty() && missing.is_empty(),
                "functions {number}, step {step}: {wrong:?} for {missing:?}"
            );
        }
    }
}

#[test]
fn lists_of_frames_hold_what_is_inside() {
    let list = DataType::List(Arc::new(arrow_schema::Field::new("item", DataType::Int64, true)));
    let function = WindowFunction::Collect {
        value: 2,
        order: vec![OrderKey { column: 3, descending: true }],
        function: CollectFunction::List,
        frame: Frame::Rows(2),
    };
    let calls = [WindowCall { function, output: list.clone() }];
    let types: Vec<DataType> = vec![DataType::Int64; 4].into_iter().chain([list]).collect();
    let writer = Writer { schema: positional_schema(&types), step: String::new() };
    let mut window = Window::new(codec(), &schema(0), &[ORDER], &calls, writer);
    let rows = batch(&[([1, 1, 10, 0], 1), ([1, 2, 20, 5], 1), ([1, 3, 30, 7], 1)]);
    let (around, storage) = Around::new(Vec::new(), rows.into_iter().collect(), 0);
    let (mut rows, mut errors) = (Vec::new(), Vec::new());
    window.changes(around, &storage, &mut rows, &mut errors);
    let shown =
        |i: usize| ScalarValue::try_from_array(rows[0].changes.rows.column(4), i).map(|value| value.to_string());
    let shown: Vec<String> = (0..3).map(|i| shown(i).expect("a value")).collect();
    assert_eq!(shown, ["[10]", "[20, 10]", "[30, 20]"]);
}
