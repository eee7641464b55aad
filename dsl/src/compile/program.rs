//! What a compiled statement gives the session to run.

use std::sync::Arc;
use std::time::Duration;

use datafusion_common::ScalarValue;
use tidebook_plan::connector::{Options, WriteMode};
use tidebook_plan::flow::{History, OrderKey};
use tidebook_plan::{ColumnType, FlowPlan, Schema, Span, Type};

/// A statement that compiled.
#[derive(Clone, Debug)]
pub struct CompiledStatement {
    /// Where it stands in the cell.
    pub span: Span,
    /// What it does.
    pub kind: StatementKind,
}

/// What a statement does.
#[derive(Clone, Debug)]
pub enum StatementKind {
    /// Defines a table. Nothing runs until an output reads it.
    Define {
        /// Its name.
        name: String,
        /// Its columns and key.
        schema: Schema,
    },
    /// Shows a table, live.
    Show(ShowProgram),
    /// Watches an expectation.
    Expect(ExpectProgram),
    /// Writes a table to a sink.
    Write(WriteProgram),
    /// Declares a parameter.
    Param {
        /// Its name.
        name: String,
        /// Its type.
        ty: Type,
        /// Its value as text for people.
        value: String,
    },
    /// Gives a value to a parameter that nothing declares so far (where one does, it is a [`StatementKind::Param`]).
    Given {
        /// The parameter's name.
        name: String,
        /// The names that are declared.
        declared: Vec<String>,
    },
    /// Sets a setting of the session.
    Set {
        /// Its name.
        name: String,
        /// Its value.
        value: ScalarValue,
    },
    /// Defines a function.
    Function {
        /// Its name.
        name: String,
    },
    /// Takes definitions back.
    Drop {
        /// Their names.
        names: Vec<String>,
    },
    /// A `%command`; the session knows what it means.
    Command {
        /// The word after the `%`.
        name: String,
        /// The rest of the line.
        args: String,
    },
}

/// A table as a program for the engine.
#[derive(Clone, Debug)]
pub struct TableProgram {
    /// The table's name for a bare name (also with only `sort`, `limit` and `show` after it), else the pipeline's
    /// text with its white space collapsed.
    pub label: String,
    /// The columns of `plan.outputs[0]`, with their names.
    pub schema: Schema,
    /// Types of the columns of `plan.outputs[0]` behind those of `schema`, which are not shown: only `ordering` reads them.
    pub order_columns: Vec<ColumnType>,
    /// The order to show the rows in; empty for no order of its own.
    pub ordering: Vec<OrderKey>,
    /// `outputs[0]` gives the rows; `outputs[1]`, if `has_errors_port`, the errors that belong to them.
    pub plan: FlowPlan,
    /// The programs that keep what is bound to history below it, each after those that it reads itself. They run
    /// before it does.
    pub histories: Vec<Arc<History>>,
    /// All definitions that it depends on, transitively.
    pub tables: Vec<String>,
    /// True if a row that was given may be taken back.
    pub retracts: bool,
    /// True if there is a second output, of errors.
    pub has_errors_port: bool,
}

/// A table to show.
#[derive(Clone, Debug)]
pub struct ShowProgram {
    /// What is shown.
    pub table: TableProgram,
    /// Rows to show at most, where the text says so.
    pub limit: Option<usize>,
    /// Least time between two frames, where the text says so.
    pub every: Option<Duration>,
    /// The statement, for [`crate::compile::recompile`].
    pub source: OutputText,
}

/// A table to write.
#[derive(Clone, Debug)]
pub struct WriteProgram {
    /// What is written.
    pub table: TableProgram,
    /// Name of the sink's connector.
    pub connector: String,
    /// Its checked options, defaults filled in, without `mode`.
    pub options: Options,
    /// What of the table is written.
    pub mode: WriteMode,
    /// The statement, for [`crate::compile::recompile`].
    pub source: OutputText,
}

/// An expectation to watch.
#[derive(Clone, Debug)]
pub struct ExpectProgram {
    /// The rows that contradict the expectation; for `equals` with a leading text column `_side`, `missing` or
    /// `unexpected`; for `is not empty` the table itself.
    pub table: TableProgram,
    /// When it holds.
    pub holds_when: HoldsWhen,
    /// How long it may take to hold.
    pub within: Option<Duration>,
    /// The statement's text with its white space collapsed.
    pub text: String,
    /// The statement, for [`crate::compile::recompile`].
    pub source: OutputText,
}

/// When an expectation holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldsWhen {
    /// Its table has no rows.
    Empty,
    /// Its table has rows.
    NotEmpty,
}

/// The text of an output statement, enough to compile it again when a table that it reads was redefined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputText {
    /// The cell that it stands in.
    pub cell: String,
    /// The text of that cell when it ran.
    pub text: Arc<str>,
    /// The statement's place in it.
    pub span: Span,
}
