//! From the rows of some partitions to what their functions tell each of them.
//!
//! Each function goes through the rows once, with a frame that only moves on: a row comes into it at its end and goes out
//! at its beginning. What a running frame has seen can be kept, and be gone on with later from there.

use std::collections::HashMap;
use std::ops::Range;

use arrow_array::ArrayRef;
use arrow_row::RowConverter;
use arrow_schema::SchemaRef;
use tidebook_plan::flow::{Frame, SumAggregate, WindowCall, WindowFunction};

use super::bag::Bag;
use super::best::Best;
use super::decoded::Decoded;
use super::places::{Edge, Neighbour, Number};
use super::sequence::{Sequence, Span};
use super::totals::Totals;
use crate::row::{Packed, converter};
use crate::sums::{Reader, SlotPlan, Sums};

/// Rows whose results are columns at once, and bytes that these may have.
const BLOCK: usize = 1_024;
const BLOCK_BYTES: usize = 1 << 30;

/// What a function knows of the rows before a place. `V` stands for a value.
#[derive(Clone, Debug)]
pub(super) enum State<V> {
    /// Nothing.
    Nothing,
    /// Their sums.
    Sums(Sums),
    /// One of them, if there is one.
    Value(Option<V>),
}

/// What stands before a run.
pub(super) struct Start {
    /// Number of rows.
    pub rows: u64,
    /// Number of groups of peers.
    pub groups: u64,
    /// What the function knows of them; nothing where there are none.
    pub state: State<u32>,
}

/// Tells rows what functions of one kind and frame give them.
pub(super) trait Teller {
    /// A run begins.
    fn begin(&mut self, run: &Range<usize>, start: Start);

    /// What is known before the row that comes next, the first of its peers.
    fn state(&self) -> State<u32> {
        State::Nothing
    }

    /// The result of the next row.
    fn tell(&mut self, row: usize);

    /// The results of the rows since the last time; what is wrong with a row goes to the errors.
    fn take(&mut self, errors: &mut HashMap<usize, String>) -> Vec<ArrayRef>;
}

/// Rows that are looked at together.
pub(super) struct Looked<'a> {
    pub decoded: &'a Decoded,
    pub sequence: &'a Sequence,
    frames: HashMap<Frame, Vec<Span>>,
}

impl Looked<'_> {
    /// The rows that each row sees.
    pub fn frames(&self, frame: Frame) -> &[Span] {
        match self.frames.get(&frame) {
            Some(spans) => spans,
            None => unreachable!("the frames of all functions are known"),
        }
    }
}

/// Functions that go through the rows together.
struct Part {
    /// Their places among all functions.
    places: Vec<usize>,
    /// Where they are sums: how they are kept and read.
    sums: Option<(Frame, SlotPlan, Reader)>,
}

/// The functions of a node.
pub(super) struct Functions {
    calls: Vec<WindowCall>,
    parts: Vec<Part>,
    results: RowConverter,
}

/// Results of rows.
#[derive(Default)]
pub(super) struct Told {
    /// The results of each row as bytes that are equal where these are.
    pub results: Packed,
    /// What is wrong with rows.
    pub errors: HashMap<usize, String>,
    /// For each cut what the parts knew there.
    pub states: Vec<Vec<State<u32>>>,
}

impl Functions {
    /// Of rows of `schema`.
    pub fn new(schema: &SchemaRef, calls: &[WindowCall]) -> Self {
        let mut parts: Vec<Part> = Vec::new();
        let mut sums: Vec<(Frame, Vec<usize>, Vec<SumAggregate>)> = Vec::new();
        for (place, call) in calls.iter().enumerate() {
            match &call.function {
                WindowFunction::Sum { sum, frame } => match sums.iter_mut().find(|(other, ..)| other == frame) {
                    Some((_, places, aggregates)) => {
                        places.push(place);
                        aggregates.push(sum.clone());
                    }
                    None => sums.push((*frame, vec![place], vec![sum.clone()])),
                },
                _ => parts.push(Part { places: vec![place], sums: None }),
            }
        }
        for (frame, places, aggregates) in sums {
            let plan = SlotPlan::new(schema, &aggregates);
            let reader = Reader::new(schema, &aggregates, &plan);
            parts.push(Part { places, sums: Some((frame, plan, reader)) });
        }
        let results = converter(calls.iter().map(|call| &call.output));
        Functions { calls: calls.to_vec(), parts, results }
    }

    /// Goes through all runs. Each goes on from `start` (or from nothing): rows and groups of peers before it, and the
    /// states of the parts. `cuts` are rows, each the first of its peers, at which states are taken.
    pub fn tell(
        &self,
        decoded: &Decoded,
        sequence: &Sequence,
        start: Option<(u64, u64, &[State<u32>])>,
        cuts: &[usize],
    ) -> Told {
        let mut frames = HashMap::new();
        for frame in self.calls.iter().filter_map(|call| call.function.frame()) {
            frames.entry(frame).or_insert_with(|| sequence.frames(frame, decoded));
        }
        let looked = Looked { decoded, sequence, frames };
        let mut tellers: Vec<Box<dyn Teller + '_>> = self.parts.iter().map(|part| self.teller(part, &looked)).collect();
        let mut told = Told { states: vec![Vec::new(); cuts.len()], ..Told::default() };
        let size = self.block(&looked);
        let count = sequence.values.len();
        let mut block = 0..count.min(size);
        let (mut run, mut cut) = (0, 0);
        while !block.is_empty() {
            let mut columns: Vec<Option<ArrayRef>> = vec![None; self.calls.len()];
            let (first_run, first_cut) = (run, cut);
            for (number, teller) in tellers.iter_mut().enumerate() {
                (run, cut) = (first_run, first_cut);
                for row in block.clone() {
                    while let Some(next) = sequence.runs.get(run).filter(|next| next.rows.start <= row) {
                        if next.rows.start == row && !next.rows.is_empty() {
                            let state = start.map_or(State::Nothing, |(.., states)| states[number].clone());
                            let (rows, groups) = start.map_or((0, 0), |(rows, groups, _)| (rows, groups));
                            teller.begin(&next.rows, Start { rows, groups, state });
                        }
                        run += 1;
                    }
                    if cuts.get(cut) == Some(&row) {
                        told.states[cut].push(teller.state());
                        cut += 1;
                    }
                    teller.tell(row);
                }
                for (place, column) in self.parts[number].places.iter().zip(teller.take(&mut told.errors)) {
                    columns[*place] = Some(column);
                }
            }
            self.pack(columns.into_iter().flatten().collect(), &mut told.results);
            block = block.end..(block.end + size).min(count);
        }
        told
    }

    /// The results as columns.
    pub fn columns<'b>(&self, results: impl Iterator<Item = &'b [u8]>) -> Vec<ArrayRef> {
        let parser = self.results.parser();
        let rows: Vec<_> = results.map(|row| parser.parse(row)).collect();
        match self.results.convert_rows(rows) {
            Ok(columns) => columns,
            Err(error) => panic!("packed rows were made by the same converter: {error}"),
        }
    }

    fn pack(&self, columns: Vec<ArrayRef>, results: &mut Packed) {
        match self.results.convert_columns(&columns) {
            Ok(rows) => rows.iter().for_each(|row| results.push(row.data())),
            Err(error) => panic!("columns do not have the types that the plan says: {error}"),
        }
    }

    /// How many rows may be columns at once: fewer where each may collect a whole run.
    fn block(&self, looked: &Looked<'_>) -> usize {
        if !self.calls.iter().any(|call| matches!(call.function, WindowFunction::Collect { .. })) {
            return BLOCK;
        }
        let bytes = looked.decoded.rows.get_array_memory_size() / looked.decoded.rows.num_rows().max(1);
        let longest = looked.sequence.runs.iter().map(|run| run.rows.len()).max().unwrap_or(0);
        (BLOCK_BYTES / (bytes.max(1) * longest.max(1))).clamp(1, BLOCK)
    }

    fn teller<'a>(&'a self, part: &'a Part, looked: &'a Looked<'a>) -> Box<dyn Teller + 'a> {
        if let Some((frame, plan, reader)) = &part.sums {
            return Box::new(Totals::new(looked, *frame, plan, reader));
        }
        let call = &self.calls[part.places[0]];
        match &call.function {
            WindowFunction::RowNumber | WindowFunction::Rank | WindowFunction::DenseRank => {
                Box::new(Number::new(looked, &call.function))
            }
            WindowFunction::Neighbour { value, offset, default } => {
                Box::new(Neighbour::new(looked, *value, *offset, *default))
            }
            WindowFunction::Edge { value, last, frame } => Box::new(Edge::new(looked, *value, *last, *frame)),
            WindowFunction::Best { value, order, last, frame } => {
                Box::new(Best::new(looked, *value, order, *last, *frame))
            }
            WindowFunction::CountDistinct { .. } | WindowFunction::Collect { .. } | WindowFunction::Quantile { .. } => {
                Box::new(Bag::new(looked, call))
            }
            WindowFunction::Sum { .. } => unreachable!("sums are parts of their own"),
        }
    }
}
