//! Treatments: ways to run a script that must not change what it settles on.
//!
//! Three questions, each with its answers: how many workers, in which steps the rows come, with or without the
//! optimizer. Every pair of answers to two questions occurs in some treatment ([`pairwise`]).

mod pairwise;
mod rewrite;

pub use pairwise::pairwise;
pub use rewrite::{Arrival, rewrite};

/// A way to run a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Treatment {
    /// Worker threads.
    pub workers: usize,
    /// In which steps the literal rows come.
    pub arrival: Arrival,
    /// Whether the optimizer's rules run.
    pub optimize: bool,
}

/// The treatments of a script; with `as_written`, only those that leave its rows alone.
pub fn treatments(as_written: bool) -> Vec<Treatment> {
    let arrivals: &[Arrival] =
        if as_written { &[Arrival::AsWritten] } else { &[Arrival::AsWritten, Arrival::RowByRow, Arrival::Shuffled] };
    pairwise(&[2, arrivals.len(), 2])
        .into_iter()
        .map(|choice| Treatment { workers: choice[0] + 1, arrival: arrivals[choice[1]], optimize: choice[2] == 0 })
        .collect()
}
