//! Event time: what is judged by a watermark. Apart from [`Balance`], these are bound to history.

use std::collections::BTreeSet;
use std::fmt;

use datafusion_common::{Column, DFSchemaRef, DataFusionError, Result};
use datafusion_expr::{Expr, LogicalPlan, UserDefinedLogicalNodeCore};
use tidebook_plan::flow::Gate;

use super::Origin;
use super::checked::one;
use super::schema::unordered;

/// A column that was marked with `watermark`, with the rows by which it is told how far time has come.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WatermarkSource {
    /// The column alone.
    pub plan: LogicalPlan,
    /// Its name.
    pub column: String,
    /// How far the watermark stays behind the latest instant, in microseconds.
    pub delay: i64,
    /// How long it holds others back without rows, in microseconds.
    pub idle: i64,
}

/// What comes in time, too late, or once.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Gated {
    /// The input.
    pub input: LogicalPlan,
    /// What makes up the watermark.
    pub sources: Vec<WatermarkSource>,
    /// Name of the column that tells when a row closes: a timestamp, or a window.
    pub closes: String,
    /// How long after it, in microseconds.
    pub late: i64,
    /// What passes.
    pub gate: Gate,
    /// Where it comes from.
    pub origin: Origin,
}
unordered!(Gated);

impl UserDefinedLogicalNodeCore for Gated {
    fn name(&self) -> &str {
        "Gate"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        std::iter::once(&self.input).chain(self.sources.iter().map(|source| &source.plan)).collect()
    }

    fn schema(&self) -> &DFSchemaRef {
        self.input.schema()
    }

    fn expressions(&self) -> Vec<Expr> {
        vec![]
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Gate: {} by {} late {}us", self.gate.name(), self.closes, self.late)
    }

    fn with_exprs_and_inputs(&self, _: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        if inputs.len() != self.sources.len() + 1 {
            return Err(DataFusionError::Internal("a gate has an input and its watermarks".to_string()));
        }
        let mut inputs = inputs.into_iter();
        let mut new = self.clone();
        let places = std::iter::once(&mut new.input).chain(new.sources.iter_mut().map(|source| &mut source.plan));
        places.zip(inputs.by_ref()).for_each(|(place, input)| *place = input);
        Ok(new)
    }

    fn necessary_children_exprs(&self, output: &[usize]) -> Option<Vec<Vec<usize>>> {
        let place =
            |plan: &LogicalPlan, name: &str| plan.schema().maybe_index_of_column(&Column::new_unqualified(name));
        let needed: BTreeSet<usize> = output.iter().copied().chain([place(&self.input, &self.closes)?]).collect();
        let of_sources = self.sources.iter().map(|source| Some(vec![place(&source.plan, &source.column)?]));
        std::iter::once(Some(needed.into_iter().collect())).chain(of_sources).collect()
    }
}

/// The rows that stand; what was taken back more often than it was given are errors.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Balance {
    /// The input.
    pub input: LogicalPlan,
    /// Where it comes from.
    pub origin: Origin,
}
unordered!(Balance);

impl UserDefinedLogicalNodeCore for Balance {
    fn name(&self) -> &str {
        "Balance"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        self.input.schema()
    }

    fn expressions(&self) -> Vec<Expr> {
        vec![]
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Balance")
    }

    fn with_exprs_and_inputs(&self, _: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        Ok(Balance { input: one(inputs)?, ..self.clone() })
    }
}

/// Changes that are told at most so often.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Throttled {
    /// The input.
    pub input: LogicalPlan,
    /// How far apart, in microseconds.
    pub every: u64,
    /// Where it comes from.
    pub origin: Origin,
}
unordered!(Throttled);

impl UserDefinedLogicalNodeCore for Throttled {
    fn name(&self) -> &str {
        "Throttle"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        self.input.schema()
    }

    fn expressions(&self) -> Vec<Expr> {
        vec![]
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Throttle: every {}us", self.every)
    }

    fn with_exprs_and_inputs(&self, _: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        Ok(Throttled { input: one(inputs)?, ..self.clone() })
    }
}
