//! DataFusion in batch: what a program must give, computed from scratch over all that its inputs hold.
//!
//! It runs without rewriting rules, as written: rules are what the other side is tested for, and some of DataFusion's
//! change results.

use std::sync::Arc;

use arrow_array::{RecordBatch, RecordBatchOptions};
use arrow_schema::Schema;
use datafusion::dataframe::DataFrame;
use datafusion::error::Result;
use datafusion::execution::SessionStateBuilder;
use datafusion::prelude::{SessionConfig, SessionContext};
use tokio::runtime::Runtime;

use crate::contents::Contents;

/// A DataFusion session with a runtime of its own.
pub struct Oracle {
    context: SessionContext,
    runtime: Runtime,
}

impl Oracle {
    /// An oracle.
    ///
    /// # Errors
    /// Where the operating system gives no runtime.
    pub fn new() -> std::io::Result<Self> {
        let config = SessionConfig::new().with_target_partitions(1);
        let state = SessionStateBuilder::new().with_default_features().with_config(config).with_optimizer_rules(vec![]);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Oracle { context: SessionContext::new_with_state(state.build()), runtime })
    }

    /// Where frames are made.
    pub fn context(&self) -> &SessionContext {
        &self.context
    }

    /// A frame over the rows that this one gives. Frames are computed step by step: a plan of one step leaves
    /// DataFusion's planner nothing to move, and it moves some things that it must not (a constant filter below an
    /// aggregate without groups, which then has a row that should not be there).
    ///
    /// # Errors
    /// Where DataFusion cannot compute it.
    pub fn computed(&self, frame: DataFrame) -> Result<DataFrame> {
        let fields = frame.schema().fields().iter().map(|field| field.as_ref().clone().with_nullable(true));
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let mut batches = Vec::new();
        // The parts of a union say in different ways whether a column may be null.
        for batch in self.runtime.block_on(frame.collect())? {
            let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
            batches.push(RecordBatch::try_new_with_options(Arc::clone(&schema), batch.columns().to_vec(), &options)?);
        }
        if batches.is_empty() {
            batches.push(RecordBatch::new_empty(schema));
        }
        self.context.read_batches(batches)
    }

    /// The rows of a frame, as they come.
    ///
    /// # Errors
    /// Where DataFusion cannot compute it.
    pub fn batches(&self, frame: DataFrame) -> Result<Vec<RecordBatch>> {
        self.runtime.block_on(frame.collect())
    }

    /// All rows of a frame.
    ///
    /// # Errors
    /// Where DataFusion cannot compute it.
    pub fn contents(&self, frame: DataFrame) -> Result<Contents> {
        Ok(Contents::of(&self.runtime.block_on(frame.collect())?))
    }
}
