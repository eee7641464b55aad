//! `rows … then …`: literal rows, one step an epoch.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef};
use arrow_row::{RowConverter, SortField};
use datafusion_common::{DFSchemaRef, Result};
use datafusion_expr::{Expr, LogicalPlan, UserDefinedLogicalNodeCore};
use tidebook_plan::ChangeBatch;
use tidebook_plan::flow::ConstantStep;

use super::Origin;
use super::schema::unordered;

/// Literal rows.
#[derive(Clone, Debug)]
pub struct Constant {
    /// One element an epoch.
    pub steps: Arc<Vec<ConstantStep>>,
    /// Hash of the steps' contents: two literals with one digest are the same.
    pub digest: u128,
    /// Names of the columns.
    pub schema: DFSchemaRef,
    /// Where it comes from.
    pub origin: Origin,
}

impl Constant {
    /// True if the literal has errors of its own or takes rows back, which may not be there.
    pub fn can_fail(&self) -> bool {
        let retracts = |change: &ChangeBatch| (0..change.len()).any(|row| change.diff(row) < 0);
        self.steps.iter().any(|step| !step.errors.is_empty() || step.changes.iter().any(retracts))
    }
}

/// The hash of a literal's contents.
pub fn digest(steps: &[ConstantStep]) -> Result<u128> {
    let mut hash = Fnv128::default();
    for step in steps {
        hash.add(b"step");
        for (mark, changes) in [(b"rows", &step.changes), (b"errs", &step.errors)] {
            for change in changes {
                hash.add(mark);
                add_change(&mut hash, change)?;
            }
        }
    }
    Ok(hash.0)
}

fn add_change(hash: &mut Fnv128, change: &ChangeBatch) -> Result<()> {
    let columns: &[ArrayRef] = change.rows.columns();
    let encoded = match columns {
        [] => None,
        _ => {
            let fields = columns.iter().map(|column| SortField::new(column.data_type().clone())).collect();
            Some(RowConverter::new(fields)?.convert_columns(columns)?)
        }
    };
    for column in columns {
        hash.add(column.data_type().to_string().as_bytes());
    }
    for row in 0..change.len() {
        if let Some(encoded) = &encoded {
            let bytes = encoded.row(row);
            hash.add(&bytes.as_ref().len().to_le_bytes());
            hash.add(bytes.as_ref());
        }
        hash.add(&change.diff(row).to_le_bytes());
    }
    Ok(())
}

/// FNV-1a of 128 bits (Fowler, Noll, Vo).
struct Fnv128(u128);

impl Default for Fnv128 {
    fn default() -> Self {
        Fnv128(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d)
    }
}

impl Fnv128 {
    fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u128::from(*byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
        }
    }
}

impl PartialEq for Constant {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest && self.schema == other.schema && self.origin == other.origin
    }
}
impl Eq for Constant {}

impl Hash for Constant {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.digest, &self.schema).hash(state);
    }
}
unordered!(Constant);

impl UserDefinedLogicalNodeCore for Constant {
    fn name(&self) -> &str {
        "Rows"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        vec![]
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows: usize = self.steps.iter().flat_map(|step| &step.changes).map(ChangeBatch::len).sum();
        write!(f, "Rows: {rows} in {} step(s)", self.steps.len())
    }

    fn with_exprs_and_inputs(&self, _: Vec<Expr>, _: Vec<LogicalPlan>) -> Result<Self> {
        Ok(self.clone())
    }
}
