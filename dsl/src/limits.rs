//! How much of everything the language takes.
//!
//! Each limit is far beyond what a person writes, and low enough that what passes it can be compiled in seconds and walked
//! recursively on the stacks that the session gives it. Whoever goes beyond one is told so by a diagnostic that names it.

/// Bytes of a cell.
pub const CELL_BYTES: usize = 4 << 20;

/// Statements of a cell.
pub const STATEMENTS: usize = 10_000;

/// Faults of one cell that are told one by one; of the others, only their number is.
pub const DIAGNOSTICS: usize = 100;

/// Characters of a name.
pub const NAME_CHARS: usize = 255;

/// Brackets inside of each other, the braces of f-strings among them.
pub const NESTING: usize = 64;

/// Operators in a row in one expression (chains of `and` and of `or` are free).
pub const CHAIN: usize = 200;

/// Operators and brackets around the innermost part of an expression.
pub const EXPRESSION_DEPTH: usize = 256;

/// Operations on the way from a column to a value, once functions of `fn` have been put in the place of their calls.
pub const EXPANDED_DEPTH: usize = 1_000;

/// Operations of an expression, once functions of `fn` have been put in the place of their calls.
pub const EXPANDED_OPERATIONS: usize = 200_000;

/// Columns of a table, fields of a record: sources keep to it as well.
pub use tidebook_plan::limits::COLUMNS;

/// Steps from a source to a table, those of the tables that it reads among them.
pub const STEPS: usize = 500;

/// Steps and heads that a table consists of, those of the tables that it reads among them.
pub const PLAN_NODES: usize = 10_000;
