//! The Jupyter protocol, version 5.4.
//!
//! - [`message`] decodes requests leniently and builds replies and publications.
//! - [`queue`] holds what is to be published; [`iopub`] publishes it to each [`subscriber`] over the wire ([`zmtp`]).
//! - [`kernel`] answers requests; [`execute`] runs cells, one at a time; [`output`] and [`display`] show what they give.
//! - [`history`] answers for the inputs, which outlive the session in a file ([`history_file`]).
//! - [`server`] owns the sockets and the threads; [`replay`] remembers which messages have come.

pub mod comm;
pub mod display;
pub mod execute;
pub mod glob;
pub mod history;
pub mod history_file;
pub mod iopub;
pub mod kernel;
pub mod message;
pub mod output;
pub mod position;
pub mod queue;
pub mod replay;
pub mod server;
pub mod subscriber;
pub mod zmtp;

#[cfg(test)]
mod tests;

pub use server::{ServeError, Stop, serve};
