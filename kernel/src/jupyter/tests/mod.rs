//! The protocol, spoken over real sockets to a kernel in this process.

mod cells;
mod front_end;
mod hostile;
mod requests;
mod subscribers;
mod views;
