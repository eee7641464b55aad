//! Fingerprints: the identity of what a node computes, from which sharing is decided.

use std::fmt;
use std::hash::{Hash, Hasher};

use arrow_schema::DataType;

use super::{FlowBuilder, Operator};

/// Identity of what a node computes: equal fingerprints, equal contents, in every program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint(pub u128);

impl Fingerprint {
    /// The hash of anything, the same in every process.
    pub fn of(what: &impl Hash) -> Self {
        Fingerprint::from_halves(|seed| {
            let mut state = Fnv(0xcbf2_9ce4_8422_2325 ^ seed);
            what.hash(&mut state);
            state.finish()
        })
    }

    fn from_halves(half: impl Fn(u64) -> u64) -> Self {
        Fingerprint((u128::from(half(0)) << 64) | u128::from(half(0x9e37_79b9_7f4a_7c15)))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", (self.0 >> 96) as u32)
    }
}

impl FlowBuilder {
    pub(super) fn fingerprint(&self, operator: &Operator, types: &[DataType], step: &str) -> Fingerprint {
        // What is held is the same for the program that keeps it and for those that read it.
        if let Operator::Hold { history, .. } | Operator::Held { history } = operator {
            return Fingerprint::of(&("history", history));
        }
        let half = |seed: u64| {
            let mut state = Fnv(0xcbf2_9ce4_8422_2325 ^ seed);
            operator.name().hash(&mut state);
            types.hash(&mut state);
            for input in operator.inputs() {
                self.node(input).fingerprint.hash(&mut state);
            }
            match operator {
                Operator::Get { source } => source.identity().hash(&mut state),
                Operator::Constant { digest, .. } => digest.hash(&mut state),
                Operator::Linear { stages, .. } => {
                    stages.hash(&mut state);
                    // The step's text is part of the rows of its errors.
                    if matches!(stages.first(), Some(stage) if stage.is_fallible()) {
                        step.hash(&mut state);
                    }
                }
                Operator::Join { kind, left_keys, right_keys, null_equals_null, .. } => {
                    (kind, left_keys, right_keys, null_equals_null).hash(&mut state);
                }
                Operator::Reduce { keys, aggregates, .. } => (keys, aggregates, step).hash(&mut state),
                Operator::ReduceJoin { left_keys, right_keys, keys, aggregates, .. } => {
                    (left_keys, right_keys, keys, aggregates, step).hash(&mut state);
                }
                Operator::TopK { group, order, offset, limit, .. } => (group, order, offset, limit).hash(&mut state),
                Operator::Collect { keys, value, order, functions, .. } => {
                    (keys, value, order, functions, step).hash(&mut state);
                }
                Operator::Quantile { keys, value, fractions, .. } => (keys, value, fractions).hash(&mut state),
                Operator::Window { partition, order, functions, .. } => {
                    (partition, order, functions).hash(&mut state);
                    // The step's text is part of the rows of its errors.
                    if functions.iter().any(|call| call.function.is_fallible()) {
                        step.hash(&mut state);
                    }
                }
                Operator::Union { inputs } => {
                    inputs.iter().map(|(_, negated)| *negated).collect::<Vec<_>>().hash(&mut state);
                }
                Operator::Unique { keys, .. } => (keys, step).hash(&mut state),
                Operator::Flatten { column, .. } => column.hash(&mut state),
                Operator::Sessions { keys, time, gap, .. } => (keys, time, gap).hash(&mut state),
                Operator::Match { partition, order, pattern, .. } => {
                    (partition, order, pattern).hash(&mut state);
                    // The step's text is part of the rows of its errors.
                    if pattern.is_fallible() {
                        step.hash(&mut state);
                    }
                }
                Operator::Asof { left_keys, right_keys, left_time, right_time, choice, outer, .. } => {
                    (left_keys, right_keys, left_time, right_time, choice, outer).hash(&mut state);
                }
                Operator::Dedupe { keys, condition, .. } => (keys, condition, step).hash(&mut state),
                Operator::Iterate { body, max, .. } => {
                    body.outputs
                        .iter()
                        .map(|output| body.nodes[*output].fingerprint)
                        .collect::<Vec<_>>()
                        .hash(&mut state);
                    (max, step).hash(&mut state);
                }
                Operator::Given { index } => index.hash(&mut state),
                Operator::Errors { .. } | Operator::Changes { .. } | Operator::Unsettled => {}
                Operator::Watermark { inputs } => {
                    inputs.iter().for_each(|input| (input.column, input.delay, input.idle).hash(&mut state));
                }
                Operator::Gate { closes, late, gate, statement, .. } => {
                    (closes, late, gate, statement).hash(&mut state)
                }
                // The step's text is part of the rows of its errors.
                Operator::Balance { .. } => step.hash(&mut state),
                Operator::Throttle { every, .. } => every.hash(&mut state),
                Operator::Hold { .. } | Operator::Held { .. } => unreachable!("these were told above"),
            }
            state.finish()
        };
        Fingerprint::from_halves(half)
    }
}

/// FNV-1a with a finishing mix: a hash that is the same in every process, which the standard one is not.
/// (Fowler, Noll, Vo; the finish is the one of MurmurHash3.)
struct Fnv(u64);

impl Hasher for Fnv {
    fn finish(&self) -> u64 {
        let mut h = self.0;
        h ^= h >> 33;
        h = h.wrapping_mul(0xff51_afd7_ed55_8ccd);
        h ^= h >> 33;
        h = h.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        h ^ (h >> 33)
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}
