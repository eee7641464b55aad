//! What the fuzzer calls: one function a target, which panics where a promise does not hold.
//!
//! The functions need nothing of the fuzzer. Ordinary tests (`tests/tests/fuzz_corpus.rs`, and the kernel's own for the
//! protocol) include them and play every kept input back, so that what was mended stays mended without the fuzzer.

#![deny(unsafe_code)]

pub mod check;
pub mod formats;
pub mod protocol;
pub mod syntax;

// What `protocol` finds beside itself in the kernel, too.
use tidebook_kernel::jupyter::message::{Request, Signer};
