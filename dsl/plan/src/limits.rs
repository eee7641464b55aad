//! Sizes beyond which Tidebook says no, so that a mistake is an error and not a machine without memory. Each is far above
//! what people write, and is named in the message that refuses it.

/// Columns of one table.
pub const COLUMNS: usize = 10_000;
