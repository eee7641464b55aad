//! What operators over event time consist of. Instants and distances are microseconds.

use super::NodeId;

/// One input of a watermark: the rows of which it is told how far time has come.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WatermarkInput {
    /// The rows.
    pub input: NodeId,
    /// The column of timestamps.
    pub column: usize,
    /// How far the watermark stays behind the latest of them.
    pub delay: i64,
    /// How long an input without rows holds the others back.
    pub idle: i64,
}

/// What a gate does with the changes that come in time, and with those that do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Gate {
    /// Those in time pass.
    Open,
    /// They pass, and are taken back in the epoch after the one that closed them: what is kept for them below is freed.
    Forget,
    /// Those pass that come too late.
    Late,
    /// What remains of those in time is given once, in the epoch that closes them.
    Final,
}

impl Gate {
    /// Its name in explanations.
    pub fn name(self) -> &'static str {
        match self {
            Gate::Open => "open",
            Gate::Forget => "forget",
            Gate::Late => "late",
            Gate::Final => "final",
        }
    }
}
