//! Sources that need no input at hand: a ticking stream, and the replay of a file.

pub mod replay;
mod replay_reader;
pub mod ticks;
mod walk;
