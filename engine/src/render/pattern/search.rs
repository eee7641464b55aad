//! The search for matches in a run of rows.
//!
//! From a row on, each element takes as many rows as it can; where a later one then finds too few, the last row that was taken is
//! given back and the search goes on from there. It is written as a loop, since a match may be as long as its partition.

use std::cell::RefCell;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef, Int64Array, new_null_array};
use arrow_cast::cast;
use arrow_schema::{DataType, SchemaRef};
use tidebook_plan::ChangeBatch;
use tidebook_plan::flow::{MatchElement, Pattern, Stage, positional_schema};

use crate::delta::untyped_batch;
use crate::render::eval::apply;

/// A match: its rows in order, each as a value of the region with the element that took it.
pub(super) type Match = Vec<(u32, u16)>;

/// What a search has found.
#[derive(Default)]
pub(super) struct Told {
    pub matches: Vec<Match>,
    /// Rows on which a condition failed, each once for each message.
    pub errors: Vec<(u32, String)>,
    /// Values with which the search begins anew, and that nothing before has looked at.
    pub cuts: Vec<u32>,
}

/// Whether a row fulfils a condition, or why that cannot be told.
#[derive(Clone, Debug)]
enum Answer {
    Yes,
    No,
    Failed(String),
}

/// Decoded values of a partition, and what is known of them.
pub(super) struct Region<'a> {
    columns: &'a [ArrayRef],
    rows: usize,
    /// For each element whose condition reads its own row alone, the answers.
    alone: RefCell<Vec<Option<Vec<Answer>>>>,
    times: RefCell<Option<Int64Array>>,
}

impl<'a> Region<'a> {
    pub fn new(columns: &'a [ArrayRef], rows: usize) -> Self {
        Region { columns, rows, alone: RefCell::default(), times: RefCell::default() }
    }
}

/// How matches are searched for.
pub(super) struct Search {
    pattern: Pattern,
    stages: Vec<[Stage; 1]>,
    answer: SchemaRef,
}

/// A search that has begun with some row.
struct Attempt {
    start: usize,
    /// The element of each row that was taken.
    taken: Vec<u16>,
    /// The last row of each element.
    last: Vec<Option<usize>>,
    /// The first row that was not looked at.
    reach: usize,
}

impl Search {
    pub fn new(pattern: Pattern) -> Self {
        let stage = |element: &MatchElement| [Stage::Project(vec![element.condition.clone()])];
        let stages = pattern.elements.iter().map(stage).collect();
        Search { pattern, stages, answer: positional_schema([&DataType::Boolean]) }
    }

    /// Searches a run of values; cuts are at least so many rows `apart`. `None` if a search ran on to the end of the run, and
    /// the partition goes on there.
    pub fn run(&self, region: &Region<'_>, run: &[u32], is_whole: bool, apart: usize) -> Option<Told> {
        let mut told = Told::default();
        let mut errors: Vec<(usize, String)> = Vec::new();
        let (mut at, mut reach, mut last_cut) = (0, 0, 0usize);
        while at < run.len() {
            if at >= reach && at >= last_cut.saturating_add(apart) && run[at] != run[at - 1] {
                told.cuts.push(run[at]);
                last_cut = at;
            }
            let attempt = self.attempt(region, run, at, &mut errors);
            reach = reach.max(attempt.reach);
            if attempt.reach > run.len() && !is_whole {
                return None;
            }
            if attempt.taken.is_empty() {
                at += 1;
            } else {
                let rows = run[at..at + attempt.taken.len()].iter().copied();
                at += attempt.taken.len();
                told.matches.push(rows.zip(attempt.taken).collect());
            }
        }
        // A row that stands several times fails as often, but once for each of its places.
        errors.sort();
        errors.dedup();
        for (place, message) in errors {
            told.errors.push((run[place], message));
        }
        Some(told)
    }

    /// The match that begins with a row; without rows if there is none.
    fn attempt(&self, region: &Region<'_>, run: &[u32], start: usize, errors: &mut Vec<(usize, String)>) -> Attempt {
        let elements = &self.pattern.elements;
        let last = vec![None; elements.len()];
        let mut attempt = Attempt { start, taken: Vec::new(), last, reach: start };
        let (mut element, mut count) = (0usize, 0u64);
        loop {
            let MatchElement { least, most, .. } = elements[element];
            if most.is_none_or(|most| count < most) && self.holds(region, run, element, &mut attempt, errors) {
                attempt.last[element] = Some(start + attempt.taken.len());
                attempt.taken.push(element as u16);
                count += 1;
                continue;
            }
            let mut is_enough = count >= least;
            // Rows are given back until an element has enough of them without the last one.
            while !is_enough {
                let Some(given_back) = attempt.taken.pop() else { return attempt };
                element = usize::from(given_back);
                count = attempt.taken.iter().rev().take_while(|own| **own == given_back).count() as u64;
                attempt.last[element] = (count > 0).then(|| start + attempt.taken.len() - 1);
                is_enough = count >= elements[element].least;
            }
            if element + 1 == elements.len() {
                return attempt;
            }
            element += 1;
            count = 0;
            attempt.last[element..].fill(None);
        }
    }

    /// True if the next row of an attempt is one of the element.
    fn holds(
        &self,
        region: &Region<'_>,
        run: &[u32],
        element: usize,
        attempt: &mut Attempt,
        errors: &mut Vec<(usize, String)>,
    ) -> bool {
        let place = attempt.start + attempt.taken.len();
        attempt.reach = attempt.reach.max(place + 1);
        let Some(value) = run.get(place).copied() else { return false };
        if let Some((column, far)) = self.pattern.within
            && !is_near(region, column, run[attempt.start], value, far)
        {
            return false;
        }
        let answer = if self.pattern.elements[element].alone {
            self.alone(region, element, value)
        } else {
            self.ask(region, run, element, value, &attempt.last)
        };
        match answer {
            Answer::Yes => true,
            Answer::No => false,
            Answer::Failed(message) => {
                errors.push((place, message));
                false
            }
        }
    }

    /// The answer of a condition that reads its own row alone: asked of all rows at once.
    fn alone(&self, region: &Region<'_>, element: usize, value: u32) -> Answer {
        let mut known = region.alone.borrow_mut();
        known.resize(self.stages.len(), None);
        let answers = known[element].get_or_insert_with(|| {
            let mut columns = region.columns.to_vec();
            columns.extend(
                self.pattern
                    .reads
                    .iter()
                    .map(|(_, read)| new_null_array(region.columns[*read].data_type(), region.rows)),
            );
            self.answers(element, columns, region.rows)
        });
        answers[value as usize].clone()
    }

    /// The answer for one row after what was taken before it.
    fn ask(&self, region: &Region<'_>, run: &[u32], element: usize, value: u32, last: &[Option<usize>]) -> Answer {
        let mut columns: Vec<ArrayRef> = region.columns.iter().map(|column| column.slice(value as usize, 1)).collect();
        columns.extend(self.pattern.reads.iter().map(|(of, read)| match last[*of] {
            Some(place) => region.columns[*read].slice(run[place] as usize, 1),
            None => new_null_array(region.columns[*read].data_type(), 1),
        }));
        self.answers(element, columns, 1).pop().unwrap_or(Answer::No)
    }

    fn answers(&self, element: usize, columns: Vec<ArrayRef>, rows: usize) -> Vec<Answer> {
        let asked = ChangeBatch::inserts(untyped_batch(columns, rows));
        let (answers, failures) = apply(&self.stages[element], &self.answer, &asked);
        let answers = answers.rows.column(0).as_boolean();
        let mut answers = (0..answers.len()).map(|row| answers.is_valid(row) && answers.value(row));
        let mut failures = failures.into_iter().peekable();
        (0..rows)
            .map(|row| match failures.next_if(|failure| failure.row == row) {
                Some(failure) => Answer::Failed(failure.message),
                None if answers.next().unwrap_or(false) => Answer::Yes,
                None => Answer::No,
            })
            .collect()
    }
}

/// True if two rows lie at most so far apart; a row without a time lies near nothing.
fn is_near(region: &Region<'_>, column: usize, first: u32, value: u32, far: i64) -> bool {
    let mut times = region.times.borrow_mut();
    let times = times.get_or_insert_with(|| match cast(&region.columns[column], &DataType::Int64) {
        Ok(times) => times.as_primitive::<Int64Type>().clone(),
        Err(error) => panic!("the order of a pattern that is bounded goes by whole numbers: {error}"),
    });
    let (first, value) = (first as usize, value as usize);
    let difference = |a: i64, b: i64| (i128::from(a) - i128::from(b)).abs();
    times.is_valid(first) && times.is_valid(value) && difference(times.value(value), times.value(first)) <= far.into()
}
