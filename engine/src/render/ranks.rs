//! How many values of a large group lie below any of its values, known without reading the group.
//!
//! The values in order are cut into runs of some hundred; for each run its first value and the number of its values are
//! kept, nothing else. So a change costs a search among the runs, and the value at a rank is found by adding up the
//! runs before it and reading a part of one. A run that has changed a lot is read again and cut anew.

/// Different values of a run when it is cut.
const RUN: usize = 256;

/// The runs of a group.
pub(super) struct Ranks {
    runs: Vec<Run>,
    total: i64,
}

struct Run {
    /// Where it begins; the first one with the empty string, so that every value has a run.
    start: Box<[u8]>,
    /// How many values there are from there to the next run's start.
    count: i64,
    /// Changes since it was cut.
    changes: usize,
}

impl Ranks {
    /// Of different values in order, with how often each stands.
    pub fn new(values: &[(&[u8], i64)]) -> Self {
        let mut ranks = Ranks { runs: vec![Run { start: Box::default(), count: 0, changes: 0 }], total: 0 };
        ranks.cut(0, values);
        ranks.total = ranks.runs.iter().map(|run| run.count).sum();
        ranks
    }

    /// Number of values.
    pub fn total(&self) -> u64 {
        self.total.max(0) as u64
    }

    /// A value came or went so often.
    pub fn change(&mut self, value: &[u8], diff: i64) {
        let run = self.runs.partition_point(|run| *run.start <= *value).saturating_sub(1);
        self.runs[run].count += diff;
        self.runs[run].changes += 1;
        self.total += diff;
    }

    /// A place in the order from which the value of a rank is near, and how many values to pass over from there.
    pub fn seek(&self, rank: u64) -> (&[u8], u64) {
        let mut before = 0u64;
        for run in &self.runs {
            let count = run.count.max(0) as u64;
            if before + count > rank {
                return (&run.start, rank - before);
            }
            before += count;
        }
        (&[], rank)
    }

    /// A run that should be cut anew, with where it begins and where the next one does.
    pub fn worn(&self) -> Option<(usize, &[u8], Option<&[u8]>)> {
        let run = self.runs.iter().position(|run| run.changes > RUN)?;
        Some((run, &self.runs[run].start, self.runs.get(run + 1).map(|next| &*next.start)))
    }

    /// Cuts a run anew, whose values these are.
    pub fn cut(&mut self, run: usize, values: &[(&[u8], i64)]) {
        let start = std::mem::take(&mut self.runs[run].start);
        let mut pieces: Vec<Run> = values
            .chunks(RUN)
            .map(|chunk| Run {
                start: chunk[0].0.into(),
                count: chunk.iter().map(|(_, count)| count).sum(),
                changes: 0,
            })
            .collect();
        match pieces.first_mut() {
            Some(first) => first.start = start,
            // A run without values goes, but for the first.
            None if run == 0 => pieces.push(Run { start, count: 0, changes: 0 }),
            None => {}
        }
        self.runs.splice(run..=run, pieces);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// The value of a rank, read as the operator does.
    fn at(ranks: &Ranks, values: &BTreeMap<Vec<u8>, i64>, rank: u64) -> (u32, usize) {
        let (start, mut over) = ranks.seek(rank);
        let mut read = 0;
        for (value, count) in values.range(start.to_vec()..) {
            read += 1;
            if over < *count as u64 {
                return (u32::from_be_bytes(value[..].try_into().unwrap()), read);
            }
            over -= *count as u64;
        }
        panic!("rank {rank} lies beyond the values");
    }

    #[test]
    fn every_rank_is_found_near_where_it_is_sought() {
        let mut state = 7u64;
        let mut random = |below: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state % below
        };
        let mut values: BTreeMap<Vec<u8>, i64> = BTreeMap::new();
        let mut ranks = Ranks::new(&[]);
        for step in 0..20_000u64 {
            // Rising values, then random ones, then mostly going.
            let number = if step < 6_000 { step as u32 } else { random(9_000) as u32 };
            let value = number.to_be_bytes().to_vec();
            let there = values.get(&value).copied().unwrap_or(0);
            let diff = if there > 0 && (step > 12_000 || random(3) == 0) { -1 } else { 1 + random(2) as i64 };
            match there + diff {
                0 => drop(values.remove(&value)),
                count => drop(values.insert(value.clone(), count)),
            }
            ranks.change(&value, diff);
            while let Some((run, start, end)) = ranks.worn() {
                let inside = values.range(start.to_vec()..).take_while(|(v, _)| end.is_none_or(|end| &v[..] < end));
                let inside: Vec<(&[u8], i64)> = inside.map(|(value, count)| (&value[..], *count)).collect();
                ranks.cut(run, &inside);
            }
            assert_eq!(ranks.total(), values.values().sum::<i64>() as u64);
            if step % 97 == 0 && ranks.total() > 0 {
                let rank = random(ranks.total());
                let expanded = values.iter().flat_map(|(value, count)| std::iter::repeat_n(value, *count as usize));
                let expected = expanded.clone().nth(rank as usize).unwrap();
                let (found, read) = at(&ranks, &values, rank);
                assert_eq!(found.to_be_bytes().to_vec(), *expected, "rank {rank} after step {step}");
                assert!(read <= 3 * RUN, "{read} values were read for one");
            }
        }
    }
}
