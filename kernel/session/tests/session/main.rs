//! The session as a front end uses it: cells run one by one while data moves.

mod collector;
mod commands;
mod examples;
mod history;
mod keyed;
mod late;
mod questions;
mod redefine;
mod sinks;
mod watch;
mod whole_page;
