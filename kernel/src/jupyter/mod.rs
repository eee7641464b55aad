//! The Jupyter protocol, version 5.4.
//!
//! - [`message`] decodes requests leniently and builds replies and publications.
//! - [`queue`] holds what is to be published; [`iopub`] is the one task that publishes it.
//! - [`kernel`] answers requests; [`execute`] runs cells, one at a time; [`output`] and [`display`] show what they give.
//! - [`server`] owns the sockets and the threads.

pub mod comm;
pub mod display;
pub mod execute;
pub mod history;
pub mod iopub;
pub mod kernel;
pub mod message;
pub mod output;
pub mod position;
pub mod queue;
pub mod server;

#[cfg(test)]
mod tests;

pub use server::{ServeError, Stop, serve};
