//! Measures the engine by itself: `measure words | sums | orders | join | latency | sustained`.
//!
//! Rows come from batches in memory, so that no parsing is measured. CPU time is that of the whole process.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow_schema::DataType;
use tidebook_engine::{CatchUp, Engine, EngineOptions, OutputEvent, Program};
use tidebook_plan::connector::{
    ConnectorError, ConnectorSpec, Contents, Direction, OpenRequest, Options, Source, SourceBatch, SourceConnector,
    SourceEvent, SourceField, SourceSpec,
};
use tidebook_plan::flow::{FlowBuilder, FlowPlan, JoinKind, NodeId, Operator, SumAggregate, SumFunction};
use tidebook_plan::types::{ColumnType, Type};
use tidebook_plan::{ChangeBatch, Span};

type Make = dyn Fn() -> Box<dyn FnMut(Duration) -> SourceEvent + Send> + Send + Sync;

/// A source made of a function.
struct Given {
    spec: ConnectorSpec,
    history: bool,
    make: Box<Make>,
}

struct Reader(Box<dyn FnMut(Duration) -> SourceEvent + Send>);

impl Source for Reader {
    fn next(&mut self, wait: Duration) -> Result<SourceEvent, ConnectorError> {
        Ok((self.0)(wait))
    }
}

impl SourceConnector for Given {
    fn spec(&self) -> &ConnectorSpec {
        &self.spec
    }
    fn describe(&self, _: &Options, _: &std::path::Path) -> Result<Vec<SourceField>, ConnectorError> {
        Ok(Vec::new())
    }
    fn contents(&self, _: &Options) -> Contents {
        Contents::Reread
    }
    fn is_bounded(&self, _: &Options) -> bool {
        false
    }
    fn has_history(&self, _: &Options) -> bool {
        self.history
    }
    fn open(&self, _: OpenRequest) -> Result<Box<dyn Source>, ConnectorError> {
        Ok(Box::new(Reader((self.make)())))
    }
}

fn given(name: &'static str, history: bool, make: Box<Make>) -> Arc<dyn SourceConnector> {
    let spec =
        ConnectorSpec { name, direction: Direction::Source, summary: "", doc: "", options: vec![], examples: &[] };
    Arc::new(Given { spec, history, make })
}

/// Gives batches, then nothing.
fn batches(name: &'static str, batches: Vec<RecordBatch>) -> Arc<dyn SourceConnector> {
    let batches = Arc::new(batches);
    given(
        name,
        true,
        Box::new(move || {
            let (batches, mut next) = (Arc::clone(&batches), 0);
            Box::new(move |wait| match batches.get(next) {
                Some(rows) => {
                    next += 1;
                    event(rows.clone())
                }
                None => {
                    std::thread::sleep(wait);
                    SourceEvent::Idle
                }
            })
        }),
    )
}

fn event(rows: RecordBatch) -> SourceEvent {
    let resume = serde_json::Value::Null;
    SourceEvent::Batch(SourceBatch { rows: ChangeBatch::inserts(rows), errors: vec![], segment: None, resume })
}

fn get(builder: &mut FlowBuilder, name: &str, types: &[(Type, DataType)]) -> NodeId {
    let field = |(i, (ty, _)): (usize, &(Type, DataType))| SourceField {
        name: format!("c{i}"),
        ty: ColumnType::nullable(ty.clone()),
        wire_name: None,
        default: None,
    };
    let source = SourceSpec {
        connector: name.to_string(),
        options: Options::default(),
        fields: types.iter().enumerate().map(field).collect(),
        key: vec![],
        generation: 0,
        base: Default::default(),
        selection: Default::default(),
    };
    let types = types.iter().map(|(_, ty)| ty.clone()).collect();
    builder.add(Operator::Get { source: Arc::new(source) }, types, Span::default(), "read")
}

fn int() -> (Type, DataType) {
    (Type::Int, DataType::Int64)
}

fn text() -> (Type, DataType) {
    (Type::Text, DataType::Utf8)
}

fn columns(columns: Vec<ArrayRef>) -> RecordBatch {
    RecordBatch::try_from_iter(columns.into_iter().enumerate().map(|(i, c)| (format!("c{i}"), c))).expect("a batch")
}

fn ints(values: impl Iterator<Item = i64>) -> ArrayRef {
    Arc::new(values.collect::<Int64Array>())
}

/// CPU seconds of this process.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("/proc");
    let fields: Vec<&str> = stat.rsplit(") ").next().expect("fields").split(' ').collect();
    (fields[11].parse::<f64>().expect("user") + fields[12].parse::<f64>().expect("system")) / 100.0
}

fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").expect("/proc");
    status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or("").replace('\t', " ")
}

fn engine(sources: Vec<Arc<dyn SourceConnector>>) -> Engine {
    let scratch = std::env::temp_dir().join("tidebook-measure");
    Engine::start(EngineOptions { workers: 1, scratch, sources, clock: Default::default() }).expect("an engine")
}

fn install(engine: &Engine, plan: FlowPlan) -> Program {
    engine.install(vec![plan]).expect("installed").remove(0)
}

fn caught_up(engine: &Engine, program: &Program) -> usize {
    engine.catch_up(&[program.id], CatchUp::Present).expect("a handle").wait(None);
    let mut rows = 0;
    while let Ok(event) = program.events.try_recv() {
        if let OutputEvent::Changes { changes, .. } = event {
            rows += changes.len();
        }
    }
    rows
}

fn random(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

fn words() {
    let mut state = 88_172_645_463_325_252;
    let words: Vec<String> = (0..5_000u64).map(|i| format!("w{:06}", i * 7919 % 1_000_000)).collect();
    let rows: Vec<RecordBatch> = (0..77)
        .map(|_| {
            let column = (0..65_536).map(|_| words[(random(&mut state) % 5_000) as usize].as_str());
            columns(vec![Arc::new(StringArray::from_iter_values(column))])
        })
        .collect();
    let engine = engine(vec![batches("words", rows)]);
    let mut b = FlowBuilder::default();
    let input = get(&mut b, "words", &[text()]);
    let aggregates =
        vec![SumAggregate { function: SumFunction::CountRows, input: None, filter: None, output: DataType::Int64 }];
    let counts = Operator::Reduce { input, keys: vec![0], aggregates };
    let counts = b.add(counts, vec![DataType::Utf8, DataType::Int64], Span::default(), "count");
    let (start, before) = (Instant::now(), cpu());
    let program = install(&engine, b.finish(vec![counts]));
    let rows = caught_up(&engine, &program);
    println!(
        "5,046,272 words into {rows} groups: {:.2} s, {:.2} CPU s, {}",
        start.elapsed().as_secs_f64(),
        cpu() - before,
        memory()
    );
}

/// Sums of floats, and of very many groups.
fn sums() {
    for groups in [5_000, 1_000_000] {
        let mut state = 88_172_645_463_325_252;
        let rows: Vec<RecordBatch> = (0..77)
            .map(|_| {
                let keys = ints((0..65_536).map(|_| (random(&mut state) % groups) as i64));
                let values = (0..65_536).map(|_| (random(&mut state) % 100_000) as f64 / 100.0);
                columns(vec![keys, Arc::new(values.collect::<arrow_array::Float64Array>())])
            })
            .collect();
        let engine = engine(vec![batches("rows", rows)]);
        let mut b = FlowBuilder::default();
        let input = get(&mut b, "rows", &[int(), (Type::Float, DataType::Float64)]);
        let sum = |function| SumAggregate { function, input: Some(1), filter: None, output: DataType::Float64 };
        let aggregates = vec![sum(SumFunction::Sum), sum(SumFunction::Avg)];
        let reduce = Operator::Reduce { input, keys: vec![0], aggregates };
        let types = vec![DataType::Int64, DataType::Float64, DataType::Float64];
        let reduce = b.add(reduce, types, Span::default(), "sum");
        let (start, before) = (Instant::now(), cpu());
        let program = install(&engine, b.finish(vec![reduce]));
        let rows = caught_up(&engine, &program);
        println!(
            "5,046,272 floats into {rows} sums: {:.2} s, {:.2} CPU s, {}",
            start.elapsed().as_secs_f64(),
            cpu() - before,
            memory()
        );
    }
}

fn orders() {
    let mut state = 88_172_645_463_325_252;
    let rows: Vec<RecordBatch> = (0..31)
        .map(|i| {
            let id = ints((0..65_536).map(|j| i * 65_536 + j));
            let product = ints((0..65_536).map(|_| (random(&mut state) % 10_000) as i64));
            columns(vec![id, product, ints((0..65_536).map(|j| j % 10))])
        })
        .collect();
    let products = columns(vec![
        ints(0..10_000),
        Arc::new(StringArray::from_iter_values((0..10_000).map(|i| format!("category {}", i % 50)))),
    ]);
    for pushed in [true, false] {
        let engine = engine(vec![batches("orders", rows.clone()), batches("products", vec![products.clone()])]);
        let mut b = FlowBuilder::default();
        let left = get(&mut b, "orders", &[int(), int(), int()]);
        let right = get(&mut b, "products", &[int(), text()]);
        let (left_keys, right_keys) = (vec![1], vec![0]);
        let aggregates =
            vec![SumAggregate { function: SumFunction::Sum, input: Some(2), filter: None, output: DataType::Int64 }];
        let types = vec![DataType::Utf8, DataType::Int64];
        let sums = if pushed {
            let operator = Operator::ReduceJoin { left, right, left_keys, right_keys, keys: vec![4], aggregates };
            b.add(operator, types, Span::default(), "sum")
        } else {
            let kind = JoinKind::Inner;
            let join = Operator::Join { left, right, kind, left_keys, right_keys, null_equals_null: false };
            let all = vec![DataType::Int64, DataType::Int64, DataType::Int64, DataType::Int64, DataType::Utf8];
            let input = b.add(join, all, Span::default(), "join");
            b.add(Operator::Reduce { input, keys: vec![4], aggregates }, types, Span::default(), "sum")
        };
        let (start, before) = (Instant::now(), cpu());
        let program = install(&engine, b.finish(vec![sums]));
        let rows = caught_up(&engine, &program);
        let how = if pushed { "sums below the join" } else { "sums after the join" };
        println!(
            "2,031,616 orders into {rows} sums, {how}: {:.2} s, {:.2} CPU s, {}",
            start.elapsed().as_secs_f64(),
            cpu() - before,
            memory()
        );
    }
}

/// Cost of a change of one row in a join of so many rows.
fn join_update(size: i64) {
    let side = |name, count: i64| {
        let rows = (0..count.div_euclid(50_000).max(1))
            .map(|i| {
                let keys = i * 50_000..((i + 1) * 50_000).min(count);
                columns(vec![ints(keys.clone()), ints(keys.map(|key| key * 3))])
            })
            .collect();
        batches(name, rows)
    };
    let next = Arc::new(AtomicU64::new(0));
    let given_so_far = Arc::clone(&next);
    let changes = given(
        "changes",
        false,
        Box::new(move || {
            let wanted = Arc::clone(&given_so_far);
            let mut given = 0;
            Box::new(move |wait| {
                let wanted = wanted.load(Ordering::SeqCst);
                if given < wanted {
                    given += 1;
                    return event(columns(vec![
                        ints([(given as i64 * 7919) % size].into_iter()),
                        ints([-1].into_iter()),
                    ]));
                }
                std::thread::park_timeout(wait.min(Duration::from_micros(50)));
                SourceEvent::Idle
            })
        }),
    );
    let engine = engine(vec![side("left", size), side("right", size), changes]);
    let mut b = FlowBuilder::default();
    let (left, right) = (get(&mut b, "left", &[int(), int()]), get(&mut b, "right", &[int(), int()]));
    let changes = get(&mut b, "changes", &[int(), int()]);
    let union = Operator::Union { inputs: vec![(left, false), (changes, false)] };
    let left = b.add(union, vec![DataType::Int64; 2], Span::default(), "union");
    let join = Operator::Join {
        left,
        right,
        kind: JoinKind::Inner,
        left_keys: vec![0],
        right_keys: vec![0],
        null_equals_null: false,
    };
    let join = b.add(join, vec![DataType::Int64; 4], Span::default(), "join");
    let start = Instant::now();
    let program = install(&engine, b.finish(vec![join]));
    let rows = caught_up(&engine, &program);
    let loaded = start.elapsed().as_secs_f64();
    let mut times = Vec::new();
    let before = cpu();
    for _ in 0..2_000 {
        let start = Instant::now();
        next.fetch_add(1, Ordering::SeqCst);
        loop {
            if let Ok(OutputEvent::Changes { .. }) = program.events.recv() {
                break;
            }
        }
        times.push(start.elapsed());
    }
    times.sort();
    println!(
        "join of {rows} rows loaded in {loaded:.2} s; one row changes: median {:?}, 99th {:?}, {:.0} CPU us each, {}",
        times[1_000],
        times[1_980],
        (cpu() - before) * 1e6 / 2_000.0,
        memory()
    );
}

fn micros() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("a time").as_micros() as i64
}

/// Latency from generator to closed epoch at so many rows a second.
fn latency(rate: u64, seconds: u64) {
    let total = rate * seconds;
    let ticks = given(
        "ticks",
        false,
        Box::new(move || {
            let start = Instant::now();
            let mut given = 0;
            Box::new(move |_| {
                let due = ((start.elapsed().as_secs_f64() * rate as f64) as u64).min(total);
                if due > given {
                    let count = due - given;
                    let now = micros();
                    let rows = columns(vec![ints(given as i64..due as i64), ints((0..count).map(|_| now))]);
                    given = due;
                    return event(rows);
                }
                if given == total {
                    return SourceEvent::End;
                }
                std::thread::sleep(Duration::from_micros(200));
                SourceEvent::Idle
            })
        }),
    );
    let engine = engine(vec![ticks]);
    let mut b = FlowBuilder::default();
    let input = get(&mut b, "ticks", &[int(), int()]);
    let score = datafusion_physical_expr::expressions::BinaryExpr::new(
        Arc::new(datafusion_physical_expr::expressions::Column::new("c0", 0)),
        datafusion_expr::Operator::BitwiseAnd,
        Arc::new(datafusion_physical_expr::expressions::Literal::new(datafusion_common::ScalarValue::Int64(Some(
            1023,
        )))),
    );
    let expr = |physical| tidebook_plan::FlowExpr { physical, fallible: false };
    let at: Arc<dyn datafusion_physical_expr::PhysicalExpr> =
        Arc::new(datafusion_physical_expr::expressions::Column::new("c1", 1));
    let stages = vec![tidebook_plan::flow::Stage::Project(vec![expr(Arc::new(score)), expr(at)])];
    let scored = b.add(Operator::Linear { input, stages }, vec![DataType::Int64; 2], Span::default(), "score");
    let aggregates =
        vec![SumAggregate { function: SumFunction::CountRows, input: None, filter: None, output: DataType::Int64 }];
    let counts = Operator::Reduce { input: scored, keys: vec![0], aggregates };
    let counts = b.add(counts, vec![DataType::Int64; 2], Span::default(), "count");
    let before = cpu();
    let program = install(&engine, b.finish(vec![scored, counts]));
    let (mut pending, mut times, mut epochs) = (Vec::new(), Vec::new(), 0);
    for event in program.events.iter() {
        match event {
            OutputEvent::Changes { port: 0, changes, .. } => pending.push(changes),
            OutputEvent::Closed { .. } => {
                let now = micros();
                epochs += 1;
                for changes in pending.drain(..) {
                    let at = changes.rows.column(1).as_primitive::<Int64Type>().clone();
                    times.extend(at.values().iter().map(|at| now - at));
                }
            }
            OutputEvent::Ended => break,
            _ => {}
        }
    }
    times.sort_unstable();
    println!(
        "{rate} rows a second, {} rows in {epochs} epochs: median {} us, 95th {} us, 99th {} us, {:.2} CPU s in {seconds} s",
        times.len(),
        times[times.len() / 2],
        times[times.len() * 95 / 100],
        times[times.len() * 99 / 100],
        cpu() - before
    );
}

fn main() {
    let what: Vec<String> = std::env::args().skip(1).collect();
    let wants = |name: &str| what.is_empty() || what.iter().any(|word| word == name);
    if wants("words") {
        words();
    }
    if wants("sums") {
        sums();
    }
    if wants("orders") {
        orders();
    }
    if wants("join") {
        join_update(10_000);
        join_update(1_000_000);
    }
    if wants("latency") {
        latency(10_000, 5);
    }
    if wants("sustained") {
        latency(100_000, 5);
    }
}
