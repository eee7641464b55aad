//! Tests of lowering: what each node becomes, and random plans by a reference interpreter.

mod cases;
mod histories;
mod interpreter;
mod joins;
pub(crate) mod plans;
mod random;
