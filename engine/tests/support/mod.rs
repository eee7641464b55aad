//! Plans built by hand, and their meaning computed naively.
#![allow(dead_code)]

pub mod naive;
pub mod source;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_schema::{DataType, SchemaRef};
use datafusion_common::ScalarValue;
use datafusion_expr::Operator as Binary;
use datafusion_physical_expr::PhysicalExpr;
use datafusion_physical_expr::expressions::{BinaryExpr, Column, Literal};
use tidebook_engine::{CatchUp, Caught, Engine, EngineOptions, OutputEvent, Program, ProgramId};
use tidebook_plan::flow::{
    ConstantStep, FlowBuilder, FlowExpr, NodeId, Operator, SumAggregate, SumFunction, positional_schema,
};
use tidebook_plan::{ChangeBatch, Span};

/// A row.
pub type Row = Vec<ScalarValue>;
/// Rows by their text, with how often they stand.
pub type Multiset = BTreeMap<String, (Row, i64)>;

pub fn deadline() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

pub fn engine(workers: usize) -> Engine {
    engine_with(workers, Vec::new())
}

pub fn engine_with(workers: usize, sources: Vec<Arc<dyn tidebook_plan::connector::SourceConnector>>) -> Engine {
    let scratch = std::env::temp_dir().join(format!("tidebook-engine-{}", std::process::id()));
    Engine::start(EngineOptions { workers, scratch, sources, clock: Default::default() }).expect("an engine")
}

pub fn int(value: i64) -> ScalarValue {
    ScalarValue::Int64(Some(value))
}

pub fn float(value: f64) -> ScalarValue {
    ScalarValue::Float64(Some(value))
}

pub fn text(value: &str) -> ScalarValue {
    ScalarValue::Utf8(Some(value.to_string()))
}

/// Columns of rows.
pub fn batch(types: &[DataType], rows: &[Row]) -> RecordBatch {
    let columns: Vec<ArrayRef> = types
        .iter()
        .enumerate()
        .map(|(i, ty)| match rows {
            [] => arrow_array::new_empty_array(ty),
            rows => ScalarValue::iter_to_array(rows.iter().map(|row| row[i].clone())).expect("one type a column"),
        })
        .collect();
    let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
    RecordBatch::try_new_with_options(positional_schema(types), columns, &options).expect("a batch")
}

pub fn changes(types: &[DataType], rows: &[(Row, i64)]) -> ChangeBatch {
    let (rows, diffs): (Vec<Row>, Vec<i64>) = rows.iter().cloned().unzip();
    ChangeBatch::new(batch(types, &rows), diffs)
}

pub fn inserts(types: &[DataType], rows: &[Row]) -> ChangeBatch {
    ChangeBatch::inserts(batch(types, rows))
}

pub fn rows_of(changes: &ChangeBatch) -> Vec<(Row, i64)> {
    (0..changes.len())
        .map(|i| {
            let value = |column: &ArrayRef| ScalarValue::try_from_array(column, i).expect("a value");
            (changes.rows.columns().iter().map(value).collect(), changes.diff(i))
        })
        .collect()
}

pub fn add(set: &mut Multiset, row: Row, diff: i64) {
    let key = format!("{row:?}");
    let entry = set.entry(key.clone()).or_insert((row, 0));
    entry.1 += diff;
    if entry.1 == 0 {
        set.remove(&key);
    }
}

pub fn multiset(rows: impl IntoIterator<Item = (Row, i64)>) -> Multiset {
    let mut set = Multiset::new();
    rows.into_iter().for_each(|(row, diff)| add(&mut set, row, diff));
    set
}

/// For messages.
pub fn listed(set: &Multiset) -> Vec<String> {
    set.values().map(|(row, count)| format!("{count} x {row:?}")).collect()
}

pub fn column(index: usize) -> Arc<dyn PhysicalExpr> {
    Arc::new(Column::new(&format!("c{index}"), index))
}

pub fn literal(value: ScalarValue) -> Arc<dyn PhysicalExpr> {
    Arc::new(Literal::new(value))
}

pub fn binary(left: Arc<dyn PhysicalExpr>, op: Binary, right: Arc<dyn PhysicalExpr>) -> Arc<dyn PhysicalExpr> {
    Arc::new(BinaryExpr::new(left, op, right))
}

pub fn sound(physical: Arc<dyn PhysicalExpr>) -> FlowExpr {
    FlowExpr { physical, fallible: false }
}

pub fn fallible(physical: Arc<dyn PhysicalExpr>) -> FlowExpr {
    FlowExpr { physical, fallible: true }
}

pub fn aggregate(function: SumFunction, input: Option<usize>, output: DataType) -> SumAggregate {
    SumAggregate { function, input, filter: None, output }
}

/// A constant; each step has its rows in batches.
pub fn constant(builder: &mut FlowBuilder, types: &[DataType], steps: &[Vec<Vec<(Row, i64)>>]) -> NodeId {
    let digest = format!("{steps:?}").bytes().fold(7u128, |hash, byte| hash.wrapping_mul(1_000_003) ^ u128::from(byte));
    let steps = steps
        .iter()
        .map(|batches| ConstantStep {
            changes: batches.iter().map(|rows| changes(types, rows)).collect(),
            errors: Vec::new(),
        })
        .collect();
    builder.add(Operator::Constant { steps: Arc::new(steps), digest }, types.to_vec(), Span::default(), "rows")
}

pub fn types_of(schema: &SchemaRef) -> Vec<DataType> {
    schema.fields().iter().map(|field| field.data_type().clone()).collect()
}

/// The state of a program's outputs, followed through its events.
pub struct Follower {
    pub program: Program,
    pub ports: Vec<Multiset>,
    pub closed: u64,
    pub ended: bool,
    pub failed: Vec<String>,
    pending: Vec<(u64, usize, ChangeBatch)>,
}

impl Follower {
    pub fn new(program: Program, ports: usize) -> Self {
        Follower {
            program,
            ports: vec![Multiset::new(); ports],
            closed: 0,
            ended: false,
            failed: Vec::new(),
            pending: Vec::new(),
        }
    }

    pub fn id(&self) -> ProgramId {
        self.program.id
    }

    /// Takes one event in; false without one in time.
    pub fn step(&mut self, deadline: Instant) -> bool {
        match self.program.events.recv_deadline(deadline) {
            Ok(event) => {
                self.apply(event);
                true
            }
            Err(_) => false,
        }
    }

    fn apply(&mut self, event: OutputEvent) {
        match event {
            OutputEvent::Changes { port, epoch, changes } => {
                assert!(epoch > self.closed, "changes of {epoch} after it was closed ({})", self.closed);
                assert!(epoch >= self.program.epoch);
                assert!(!changes.is_empty());
                self.pending.push((epoch, port, changes));
            }
            OutputEvent::Closed { epoch } => {
                assert!(epoch >= self.closed);
                self.closed = epoch;
            }
            OutputEvent::Loading { .. } => {}
            OutputEvent::Ended => self.ended = true,
            OutputEvent::Failed { message } => self.failed.push(message),
        }
    }

    /// Epochs with changes that are closed, in order.
    pub fn closed_epochs(&self) -> Vec<u64> {
        let mut epochs: Vec<u64> = self.pending.iter().map(|(e, ..)| *e).filter(|e| *e <= self.closed).collect();
        epochs.sort_unstable();
        epochs.dedup();
        epochs
    }

    /// Applies the changes of one epoch to the ports.
    pub fn apply_epoch(&mut self, epoch: u64) {
        for (_, port, changes) in self.pending.extract_if(.., |(e, ..)| *e == epoch) {
            for (row, diff) in rows_of(&changes) {
                add(&mut self.ports[port], row, diff);
            }
        }
    }

    /// Takes in everything that is there, and applies what is closed.
    pub fn settle(&mut self) -> &[Multiset] {
        while let Ok(event) = self.program.events.try_recv() {
            self.apply(event);
        }
        for epoch in self.closed_epochs() {
            self.apply_epoch(epoch);
        }
        &self.ports
    }

    /// Catches up, then settles.
    pub fn catch_up(&mut self, engine: &Engine) -> &[Multiset] {
        let caught = engine.catch_up(&[self.program.id], CatchUp::Present).expect("a handle").wait(Some(deadline()));
        assert_eq!(caught, Caught::Done);
        self.settle()
    }
}

/// A generator of numbers (xorshift64*), so that a failure comes again.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    pub fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len() as u64) as usize].clone()
    }
}

/// The elements of a list; none of a null one.
pub fn elements(list: &ScalarValue) -> Vec<ScalarValue> {
    let ScalarValue::List(list) = list else { panic!("a list, not {list:?}") };
    let elements = list.iter().next().flatten();
    let elements = elements.iter().flat_map(|all| (0..all.len()).map(move |i| ScalarValue::try_from_array(all, i)));
    elements.collect::<Result<_, _>>().expect("an element is a value")
}
