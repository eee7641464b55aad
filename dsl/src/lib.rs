//! The language: text becomes a checked, optimised, lowered flow plan.
//!
//! *Invariant:* pure. No input or output, no threads; what it must know of the world it asks an [`Environment`].
//!
//! - [`syntax`]: text to a spanned tree. *Invariant:* pest is used nowhere else.
//! - `resolve`: names and types; the tree to a logical plan. [`catalog`] keeps what is defined.
//! - [`functions`]: the scalar library and the aggregates. [`logical`]: the nodes of a plan that DataFusion lacks.
//! - [`optimize`]: the rules, in their order. [`lower`]: the logical plan to the flow plan.
//! - [`limits`]: how much of everything is taken.
//! - [`mod@compile`]: all of it for one cell. [`assist`]: completion and inspection. [`diagnostics`]: the codes.
//! - [`reference`]: every name with what it means, as `%help` and the folder `reference` show it.

pub mod assist;
pub mod diagnostics;
pub mod functions;
pub mod limits;
pub mod logical;
pub mod lower;
pub mod optimize;
pub mod reference;
pub mod syntax;

pub mod catalog;
pub mod compile;
mod resolve;

pub use catalog::{Catalog, FunctionInfo, ParamInfo, TableInfo};
pub use compile::{
    Compiled, CompiledStatement, Environment, ExpectProgram, Explanation, HoldsWhen, OutputText, ShowProgram,
    StatementKind, TableProgram, WriteProgram, compile, evaluate, explain, recompile,
};
