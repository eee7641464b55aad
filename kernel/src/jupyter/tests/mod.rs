//! The protocol, spoken over real sockets to a kernel in this process.

mod cells;
mod front_end;
mod fuzz_corpus;
mod hostile;
mod requests;
mod subscribers;
mod views;
